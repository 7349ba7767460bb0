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
try-again-in = { $minutes ->
   *[other] { $minutes } 分待ってから、もう一度お試しください。
}

### What a client may do; a scope of a resource has the words of the configuration.
scope = { $scope ->
    [openid] あなたが誰であるかを確認する
    [profile] 名前とプロフィールを見る
    [email] メールアドレスを見る
    [phone] 電話番号を見る
    [address] 住所を見る
    [groups] 所属するグループを見る
    [offline_access] サインインしていない間も接続を保つ
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
   *[now] 1 分以内
}
at = { $time } UTC
says-it-runs = 申告された環境
agent-on = { $system } の { $product }
agent-unknown = 申告なし

### Sign in
login-title = サインイン
login-heading = サインイン
login-heading-again = もう一度サインイン
login-lead = { $host } へ進みます
login-lead-client = { $client } へ進みます
login-again = すでにサインインしています。ご本人であることを、パスワードでもう一度確認します。
login-lead-device = まずサインインし、それからデバイスを接続します。
login-username = ユーザー名またはメールアドレス
login-password = パスワード
login-stay = ログイン状態を保つ
login-stay-hint = ご自身のブラウザーでのみ選んでください。
login-wrong = ユーザー名またはパスワードが違います。
login-limited = 試行回数が多すぎます。
login-stale = このページは最新の状態ではなかったため、サインインしていません。もう一度パスワードを入力してください。
login-no-cookies = ブラウザーから Cookie が送り返されませんでした。Cookie がないとサインインできません。このサイトの Cookie を許可してから、サインインしてください。

### Connect a device: the code
device-title = デバイスを接続
device-heading = デバイスを接続
device-lead = デバイスに表示されているコードを入力してください。
device-lead-prefilled = デバイスに表示されているコードと同じですか？　同じ場合にだけ進んでください。
device-code = コード
device-hint = 大文字と小文字、空白、ハイフンは区別されません。
device-hint-prefilled = 手元にデバイスがない、またはコードが違う場合は、このページを閉じてください。
device-not-valid = コードが無効か、有効期限が切れています。確認するか、デバイスで新しいコードを表示してください。
device-limited = 間違ったコードが多すぎます。

### Who asks, an app or a device
ask-heading = { $client } にアカウントの利用を許可しますか？
ask-client-id = クライアント ID { $id }
ask-scopes = 許可される操作
ask-no-scopes = 権限は求められていません
ask-approve = 許可
ask-deny = 拒否

### An app asks
consent-title = アプリの許可
consent-again = このアプリは以前に許可されています。今回は、それより多くの権限を求めています。
consent-safety = このアプリへのサインインを、今ご自身で始めましたか？　そうでなければ、拒否してください。
consent-safety-more = 許可した内容は、アカウントのページでいつでも取り消せます。
consent-goes-to = どちらを選んでも、{ $host } へ進みます。

### On the way to an app
going-on-title = 移動中
going-on-heading = お待ちください
going-on-lead = { $host } へ進みます。画面が変わらない場合は、ボタンを押してください。

### Connect a device: who asks
confirm-title = 許可または拒否
confirm-compare = デバイスにこのコードが表示されていることを確認してください
confirm-retype = デバイスに表示されているコードを入力してください
confirm-retype-wrong = このデバイスのコードではありません。デバイスの画面をもう一度確認してください。
confirm-details = 要求の送信元
confirm-address = デバイスのアドレス
confirm-browser-address = あなたのアドレス
confirm-started = 開始
confirm-network-heading = デバイスは別のネットワークにあります
confirm-network-warning = デバイスは手元にない可能性があります。離れた場所にいる誰かが、あなたのアカウントに入り込むためにこのコードを送ったのかもしれません。確信が持てない場合は、拒否してください。
confirm-network-refused = このアプリを許可できるのは、デバイスと同じネットワークからだけです。そのネットワークに接続してこのページを開き直すか、拒否してください。
confirm-safety = 目の前にあるデバイスで、ご自身がこの操作を始めましたか？　そうでなければ、拒否してください。
confirm-safety-more = 手助けのために、送られてきたコードの許可が必要になることは決してありません。

### Connect a device: decided
done-title = { $outcome ->
    [denied] 拒否しました
   *[approved] 許可しました
}
done-heading = { $outcome ->
    [denied] 要求を拒否しました
   *[approved] デバイスを接続しました
}
done-text = { $outcome ->
    [denied] { $client } はアカウントを利用できません。
   *[approved] { $client } は、許可された範囲でアカウントを利用できます。
}
done-next = { $outcome ->
    [denied] ご自身が始めた操作でない場合は、このサーバーの管理者に知らせてください。このページは閉じてかまいません。
   *[approved] デバイスに戻ってください。数秒後に自動的に続きます。このページは閉じてかまいません。
}

### Sign out
logout-title = サインアウト
logout-heading = サインアウトしますか？
logout-asked = { $client } がサインアウトを求めています。
logout-refused = アプリがここへ導いた要求は正しくありません。サインアウトはできますが、アプリには戻りません。
logout-text = { $user } としてサインインしています。サインアウトすると、このブラウザーと、ここからサインインしたアプリが対象になります。ただし、接続を保つことを許可したアプリと、接続したデバイスは、引き続きアカウントを利用できます。
logout-stay = サインインしたままにする
signed-out-title = サインアウト済み
signed-out-heading = サインアウトしました
signed-out-text = このブラウザーをほかの人も使う場合は、ウィンドウを閉じてください。
signed-out-client = { $client } に戻るか、このページを閉じてください。
signed-out-again = もう一度サインイン

### The account
account-title = アカウント
account-heading = アカウント
account-lead = { $user } の代わりに操作できるものと、サインインしている場所です。どれもここで終了できます。
account-notice = { $notice ->
    [session_ended] そのブラウザーをサインアウトしました。
    [app_removed] アプリはアカウントを利用できなくなりました。再び利用するには、改めて許可が必要です。
    [device_removed] デバイスはアカウントを利用できなくなりました。再び利用するには、改めて許可が必要です。
    [password_changed] パスワードを変更しました。ほかのブラウザーはすべてサインアウトしました。
    [stale] ページが最新の状態ではなかったため、何も変更されていません。ここでもう一度お試しください。
   *[gone] すでに終了していました。
}
account-sessions = サインインしている場所
account-here = このブラウザー
account-address = アドレス
account-last-seen = 最終利用
account-began = サインイン
account-apps = 接続中のアプリ
account-no-apps = アカウントを利用できるアプリはありません。
account-take-back = 許可を取り消す
account-client-id = クライアント ID
account-since = 許可
account-devices = 接続中のデバイス
account-no-devices = アカウントを利用できるデバイスはありません。
account-disconnect = 接続を解除
account-approved = 許可
account-more = { $count ->
   *[other] これより古いものが、ほかに { $count } 件あります。
}
account-password = パスワード
account-password-current = 現在のパスワード
account-password-new = 新しいパスワード（8 文字以上）
account-password-repeated = 新しいパスワード（確認）
account-password-change = パスワードを変更
account-password-text = ほかのブラウザーはすべてサインアウトされ、すべてのアプリとデバイスの許可が取り消されます。
account-password-elsewhere = パスワードは管理者が管理しています。変更するには管理者に連絡してください。
account-password-problem = { $problem ->
    [short] 新しいパスワードが短すぎます。8 文字以上にしてください。
    [long] 新しいパスワードが長すぎます。
    [different] 新しいパスワードが一致しません。
   *[wrong] 現在のパスワードが正しくありません。
}
account-uncounted = これより古いものが、ほかにもあります。
account-older = これより古い許可を持つアプリとデバイスを表示
account-everywhere = すべてサインアウト
account-everywhere-text = 心当たりのないものがありますか？　このブラウザーを含むすべてのブラウザーをサインアウトし、すべてのアプリとデバイスの許可を取り消せます。

### What this server is
home-title = ホーム
home-heading = { $host } のアカウント
home-text = ここでサインインし、どのデバイスとアプリに操作を任せるかを決めます。どれも最初に確認を求め、許可された範囲だけを利用できます。

### Errors
error-title = { $fault ->
    [bad_request] 要求を理解できません
    [unknown_client] 不明なアプリ
    [redirect_uri] 登録されていないアドレス
    [not_supported] 対応していないリクエストです
    [bad_logout] サインアウトの要求を理解できません
    [not_found] ページが見つかりません
    [method_not_allowed] ここではできない操作です
    [too_large] データが大きすぎます
    [too_many_requests] 要求が多すぎます
    [unavailable] 現在利用できません
    [busy] サインインが集中しています
   *[internal] 問題が発生しました
}
error-text = { $fault ->
    [bad_request] ブラウザーから送られた内容を、このサーバーは読み取れません。前のページに戻って、もう一度お試しください。
    [unknown_client] ここへ導いたリンクが示すアプリを、このサーバーは知りません。どこにも何も送信されていません。元の場所に戻り、その運営者に知らせてください。
    [redirect_uri] ここへ導いた要求は、示されたアプリに登録されていないアドレスへの移動を求めています。そこへは移動せず、どこにも何も送信されていません。元の場所に戻り、その運営者に知らせてください。
    [not_supported] アプリからのリクエストの形式に、このサーバーは対応していません。どこにも何も送信されていません。元のページに戻り、アプリの運営者に連絡してください。
    [bad_logout] アプリがサインアウトのためにここへ導きましたが、その要求をこのサーバーは受け付けられません。何も変更されていません。サインアウトはホームからできます。
    [not_found] このアドレスには何もありません。入力の間違いがないか確認してください。
    [method_not_allowed] このアドレスは、そのような方法では利用できません。何も変更されていません。
    [too_large] ブラウザーから送られた内容が、このサーバーのどのフォームよりも大きくなっています。
    [too_many_requests] しばらく待ってから、もう一度お試しください。
    [unavailable] サーバーは現在、データにアクセスできません。何も変更されていません。1 分後にもう一度お試しください。
    [busy] サインインの数が、このサーバーが同時に確認できる数を超えています。何も変更されていません。数秒後にもう一度お試しください。
   *[internal] 原因はこのサーバーにあり、記録されました。もう一度お試しください。続く場合は、このサーバーの管理者に知らせてください。
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
