# Every sentence of the pages, in Japanese. Values in braces are filled in; keep them.

### Every page
brand = { $host } のホーム
footer = Grantor で動作しています
signed-in-as = { $user } としてサインイン中
sign-out = サインアウト
sign-in = サインイン
connect-device = デバイスを接続
see-account = アカウント
go-on = 続ける
details = 詳細
client-id = クライアント ID
try-again-in = { $minutes ->
   *[other] { $minutes } 分後にもう一度お試しください。
}

### What a client may do; a scope of a resource has the words of the configuration.
scope = { $scope ->
    [openid] あなたが誰であるかを確認する
    [profile] 名前とプロフィールを見る
    [email] メールアドレスを見る
    [phone] 電話番号を見る
    [address] 住所を見る
    [groups] 所属するグループを見る
    [offline_access] サインインしていない間もアクセスを維持する
   *[other] { $scope }
}
scope-claims = アカウントのその他の情報を見る:

### When, and by what software
ago = { $unit ->
    [minutes] { $count ->
       *[other] { $count } 分前
    }
    [hours] { $count ->
       *[other] { $count } 時間前
    }
    [days] { $count ->
       *[other] { $count } 日前
    }
   *[now] たった今
}
at = { $time } UTC
reported-software = 申告されたソフトウェア
agent-on = { $system } の { $product }
agent-unknown = 不明

### Sign in
login-title = サインイン
login-heading = サインイン
login-heading-again = ご本人確認
login-lead = { $host } に進みます
login-lead-client = { $client } に進みます
login-again = { $user } としてサインインしています。続けるには、パスワードを入力してください。
login-other = { $user } としてサインインしています。別のアカウントを使うには、ここでそのアカウントにサインインしてください。
login-another = 別のアカウントを使用
login-lead-device = サインインしてから、デバイスを接続してください。
login-username = ユーザー名またはメールアドレス
login-password = パスワード
login-stay = ログイン状態を保つ
login-stay-hint = ご自身のブラウザーでのみ選んでください。
login-wrong = ユーザー名またはパスワードが違います。
login-limited = 試行回数が多すぎます。
login-stale = ページの有効期限が切れたため、サインインできませんでした。もう一度パスワードを入力してください。
login-no-cookies = サインインには Cookie が必要ですが、ブラウザーから送信されませんでした。このサイトの Cookie を許可してから、サインインしてください。

### Connect a device: the code
device-title = デバイスを接続
device-heading = デバイスを接続
device-lead = デバイスに表示されているコードを入力してください。
device-lead-prefilled = デバイスに表示されているコードと同じことを確認してください。
device-code = コード
device-hint = 空白とハイフンは省略できます。大文字でも小文字でもかまいません。
device-hint-prefilled = 手元にデバイスがない場合や、コードが異なる場合は、このページを閉じてください。
device-not-valid = コードが正しくないか、有効期限が切れています。コードを確認するか、デバイスで新しいコードを取得してください。
device-limited = 間違ったコードが多すぎます。

### Who asks, an app or a device
ask-heading = { $client } にアカウントの利用を許可しますか？
ask-scopes = 許可する内容
ask-no-scopes = 権限は要求されていません
ask-account = アカウント: { $user }
ask-new = 新規
ask-approve = 許可
ask-deny = 拒否

### An app asks
consent-title = アプリの許可
consent-again = このアプリは以前に許可しています。
consent-again-more = このアプリは以前に許可しています。今回は追加の権限を求めています。
consent-safety = このアプリへのサインインは、ご自身で選択した操作ですか？　そうでない場合は、「拒否」を選択してください。
consent-safety-more = アクセスは、アカウントのページでいつでも取り消せます。
consent-goes-to = どちらを選んでも、{ $host } に移動します。

### Nothing to allow
withheld-title = 利用できません
withheld-heading = { $client } は利用できません
withheld-text = { $why ->
    [scopes] 要求された権限は、いずれもお使いのアカウントには許可されていません。
   *[client] 特定のアカウントのみが利用できます。お使いのアカウントは対象ではありません。
}
withheld-next = アクセスできるはずの場合は、管理者にお問い合わせください。別のアカウントを使うには、まずサインアウトしてください。
withheld-back = アプリに戻る

### On the way to an app
redirecting-title = 移動しています…
redirecting-heading = 移動しています…
redirecting-lead = { $host } に移動しています。画面が変わらない場合は、「続ける」を選択してください。

### Connect a device: who asks
confirm-title = 許可または拒否
confirm-compare = デバイスにこのコードが表示されていることを確認してください
confirm-retype = デバイスに表示されているコードを入力してください
confirm-retype-wrong = このデバイスのコードではありません。デバイスの画面をもう一度確認してください。
confirm-details = リクエストの送信元
confirm-address = デバイスの IP
confirm-browser-address = あなたの IP
confirm-started = リクエスト
confirm-network-heading = デバイスは別のネットワークにあります
confirm-network-warning = デバイスは手元にない可能性があります。誰かがあなたのアカウントに侵入するために、離れた場所からこのコードを送ったのかもしれません。確信が持てない場合は、「拒否」を選択してください。
confirm-network-refused = このアプリは、デバイスと同じネットワークからのみ許可できます。そのネットワークに接続してこのページを開き直すか、「拒否」を選択してください。
confirm-safety = 目の前にあるデバイスで、ご自身が始めた操作ですか？　そうでない場合は、「拒否」を選択してください。
confirm-safety-more = サポート担当者が、送ったコードの許可を求めることは決してありません。

### Connect a device: decided
done-title = { $outcome ->
    [denied] 拒否しました
   *[approved] 許可しました
}
done-heading = { $outcome ->
    [denied] リクエストを拒否しました
   *[approved] デバイスを接続しました
}
done-text = { $outcome ->
    [denied] { $client } にアカウントへのアクセスは許可されませんでした。
   *[approved] { $client } は、許可した範囲でアカウントにアクセスできます。
}
done-next = { $outcome ->
    [denied] ご自身が始めた操作でない場合は、管理者に連絡してください。このページは閉じてかまいません。
   *[approved] デバイスに戻ってください。数秒後に自動的に続きます。このページは閉じてかまいません。
}

### Sign out
logout-title = サインアウト
logout-heading = サインアウトしますか？
logout-asked = { $client } がサインアウトを求めています。
logout-refused = ここへ移動したアプリのリクエストが正しくありません。サインアウトはできますが、アプリには戻りません。
logout-text = { $user } としてサインインしています。このブラウザーと、ここからサインインしたアプリからサインアウトします。アクセスの維持を許可したアプリと、接続したデバイスはそのままです。
logout-stay = サインインしたままにする
signed-out-title = サインアウト済み
signed-out-heading = サインアウトしました
signed-out-text = このブラウザーをほかの人も使う場合は、すべてのウィンドウを閉じてください。
signed-out-client = { $client } に戻るか、このページを閉じてください。
signed-out-again = もう一度サインイン

### The account
account-title = アカウント
account-heading = アカウント
account-lead = アカウントにアクセスできるデバイス、アプリ、セッションです。心当たりのないものは削除してください。
account-notice = { $notice ->
    [session_ended] そのブラウザーからサインアウトしました。
    [app_removed] アプリのアクセスを取り消しました。再び利用するには、改めて許可が必要です。
    [device_removed] デバイスのアクセスを取り消しました。再び利用するには、改めて許可が必要です。
    [password_changed] パスワードを変更しました。ほかのブラウザーからはすべてサインアウトしました。
    [stale] ページの有効期限が切れたため、何も変更されていません。もう一度お試しください。
   *[gone] すでに削除されています。
}
account-when = { $event ->
    [seen] 最終利用: { $ago }
    [allowed] 許可: { $ago }
   *[connected] 接続: { $ago }
}
account-sessions = サインインしている場所
account-here = このブラウザー
account-address = IP アドレス
account-last-seen = 最終利用
account-began = サインイン
account-apps = 接続中のアプリ
account-no-apps = アカウントにアクセスできるアプリはありません。
account-remove-access = アクセスを取り消す
account-since = 許可
account-devices = 接続中のデバイス
account-no-devices = アカウントにアクセスできるデバイスはありません。
account-disconnect = 接続を解除
account-connected = 接続
account-more = { $count ->
   *[other] これより古い { $count } 件は表示されていません。
}
account-uncounted = これより古いものは表示されていません。
account-older = これより古いアプリとデバイスを表示
account-password = パスワード
account-password-current = 現在のパスワード
account-password-new = 新しいパスワード（8 文字以上）
account-password-repeated = 新しいパスワード（確認）
account-password-change = パスワードを変更
account-password-text = ほかのすべてのブラウザーからサインアウトし、すべてのアプリとデバイスのアクセスを取り消します。
account-password-elsewhere = パスワードは管理者が管理しています。変更するには管理者に連絡してください。
account-password-problem = { $problem ->
    [short] 新しいパスワードが短すぎます。8 文字以上にしてください。
    [long] 新しいパスワードが長すぎます。
    [different] 新しいパスワードが一致しません。
   *[wrong] 現在のパスワードが正しくありません。
}
account-everywhere-heading = 心当たりのないものがありますか？
account-everywhere-text = このブラウザーを含むすべてのブラウザーからサインアウトし、すべてのアプリとデバイスのアクセスを取り消します。
account-everywhere = すべての場所からサインアウト
account-everywhere-ask = すべてのブラウザーで再びサインインし、アプリとデバイスを改めて許可する必要があります。
account-everywhere-confirm = すべての場所からサインアウトする

### What this server is
home-title = ホーム
home-heading = { $host } のアカウント
home-text = アカウントを使えるデバイスとアプリを管理します。どれも最初に確認を求め、許可された範囲だけにアクセスします。

### Errors
error-title = { $fault ->
    [bad_request] 無効なリクエスト
    [unknown_client] 不明なアプリ
    [redirect_uri] 登録されていないアドレス
    [not_supported] 対応していないリクエストです
    [bad_logout] 無効なサインアウトのリクエスト
    [not_found] ページが見つかりません
    [method_not_allowed] 許可されていない操作
    [too_large] データが大きすぎます
    [too_many_requests] リクエストが多すぎます
    [unavailable] 一時的に利用できません
    [busy] サインインが集中しています
   *[internal] 問題が発生しました
}
error-text = { $fault ->
    [bad_request] ブラウザーから送信された内容を読み取れません。前のページに戻って、もう一度お試しください。
    [unknown_client] リンク先のアプリは、このサーバーに登録されていません。どこにも何も送信されていません。前のページに戻り、アプリの提供者に連絡してください。
    [redirect_uri] リンク先のアドレスは、アプリに登録されていません。そこへは移動しておらず、どこにも何も送信されていません。前のページに戻り、アプリの提供者に連絡してください。
    [not_supported] アプリからのリクエストの形式に、このサーバーは対応していません。どこにも何も送信されていません。元のページに戻り、アプリの運営者に連絡してください。
    [bad_logout] サインアウトのためにアプリからここへ移動しましたが、そのリクエストが正しくありません。何も変更されていません。サインアウトはホームからできます。
    [not_found] このアドレスにページはありません。入力に間違いがないか確認してください。
    [method_not_allowed] このアドレスは、そのような方法では利用できません。何も変更されていません。
    [too_large] ブラウザーから送信されたデータが、このサーバーの上限を超えています。
    [too_many_requests] しばらく待ってから、もう一度お試しください。
    [unavailable] サーバーは現在、データにアクセスできません。何も変更されていません。1 分後にもう一度お試しください。
    [busy] サインインが集中し、このサーバーが同時に処理できる数を超えています。何も変更されていません。数秒後にもう一度お試しください。
   *[internal] サーバー側で問題が発生し、記録されました。もう一度お試しください。解決しない場合は、管理者に連絡してください。
}
error-developers-heading = アプリの開発者の方へ
error-developers = { $fault ->
    [unknown_client] パラメーター client_id がないか、重複しているか、この発行者のクライアントの ID ではありません。
    [redirect_uri] パラメーター redirect_uri は、クライアントに設定された redirect_uris のいずれかと一字一句同じでなければなりません。異なってよいのは、ループバックアドレスのポートだけです。
    [not_supported] 認可リクエストには、redirect_uri を含むパラメーターを直接指定してください。対応している機能は、このサーバーのメタデータに記載されています。
   *[bad_logout] クライアントの設定と比べてください。id_token_hint は、この発行者がクライアントに発行した ID トークンでなければなりません。post_logout_redirect_uri（または logout_uri）は、post_logout_redirect_uris のいずれかと一字一句同じでなければなりません。
}
error-status = エラー { $status }
error-trace = トレース ID
error-home = ホームへ

### The first administrator
admin-first-title = 最初の管理者を作成
admin-first-lead = { $host } を管理するため
admin-first-done = { $user } が管理者になりました。
admin-first-exists = 管理者はすでに存在し、他の管理者を追加できます。
admin-first-code = ファイルにあるコード
admin-first-username = ユーザー名
admin-first-create = 管理者を作成
admin-first-code-wrong = このコードは正しくないか、期限が切れているか、すでに使われています。コードのあるファイルはサーバーのログに記載されています。
admin-first-name-taken = この名前は別のユーザーが使っています。
admin-first-name-wrong = この名前は使えません。
admin-first-password-wrong = パスワードは8文字以上にしてください。
