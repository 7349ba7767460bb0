#!/bin/sh
# Makes this folder from swagger-ui-dist of npm: the files that the docs page of the API needs, compressed, and their licences.
# After a change of the version, change it in crates/web/src/api/docs.rs, too.
set -eu
version=5.35.0
integrity=sha512-U06rpMtW9V3XPGOBeamTUSr0Z09jMX4IJuANpE/EZbAhw0G8CgwrzU4YmXkn/h0wCDNsXdGarTNNHC3sU8yVUQ==
cd "$(dirname "$0")"
folder=$(mktemp -d)
trap 'rm -r "$folder"' EXIT
package=$(npm pack --silent --pack-destination "$folder" "swagger-ui-dist@$version")
found=sha512-$(openssl dgst -sha512 -binary "$folder/$package" | openssl base64 -A)
[ "$found" = "$integrity" ] || { echo "the package has the digest $found" >&2; exit 1; }
tar xf "$folder/$package" -C "$folder"
# -n: neither names nor times, so that the result is the same each time.
for file in swagger-ui-bundle.js swagger-ui.css oauth2-redirect.js; do
    sed '/^\/\/# sourceMappingURL=/d; s|/\*# sourceMappingURL=[^*]*\*/||' "$folder/package/$file" | gzip -9 -n > "$file.gz"
done
cp "$folder/package/LICENSE" "$folder/package/NOTICE" "$folder/package/swagger-ui-bundle.js.LICENSE.txt" .
chmod 644 LICENSE NOTICE swagger-ui-bundle.js.LICENSE.txt
