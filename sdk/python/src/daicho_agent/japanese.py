"""The agent's sentences in Japanese, by their English text."""

JAPANESE = {
    "This device is not registered. Run: daicho-agent register": (
        "この機器は登録されていません。「daicho-agent register」を実行してください。"
    ),
    "The server refused: {title} ({code})": "サーバーが拒否しました：{title}（{code}）",
    "Another process has used {path} for more than {seconds} s. Is a daicho-agent hanging?": (
        "別のプロセスが{path}を{seconds}秒以上使用しています。応答しないdaicho-agentがないか確認してください。"
    ),
    "Another device uses the identity of this one: was it copied from the same image, or set back to an older "
    "state? If this is the copy: daicho-agent register --new-identity. If this is the only one: "
    "daicho-agent renew --resume": (
        "この機器の識別情報が別の機器でも使われています。同じイメージから複製したか、古い状態に戻していませんか。"
        "複製した側では「daicho-agent register --new-identity」を、ほかに無いことが確かなら「daicho-agent renew --resume」を"
        "実行してください。"
    ),
    "The state {path} cannot be read: {reason}": "状態ファイル{path}を読み込めません：{reason}",
    "The state {path} is damaged ({reason}). Restore it, or move it away and register again.": (
        "状態ファイル{path}が壊れています（{reason}）。復元するか、別の場所に移して登録し直してください。"
    ),
    "The state {path} was written by a newer daicho-agent.": (
        "状態ファイル{path}は新しい版のdaicho-agentが書いたものです。"
    ),
    "The disk is full: {path} was not written. Nothing was changed; make room and try again.": (
        "ディスクの空きがないため{path}に書き込めませんでした。何も変更していません。空きを作ってから再度実行してください。"
    ),
    "The state {path} cannot be written: {reason}": "状態ファイル{path}に書き込めません：{reason}",
    "The file of certificates {path} cannot be used: {reason}": "証明書ファイル{path}を使用できません：{reason}",
    "This is not the address of a server: {server}": "サーバーのアドレスではありません：{server}",
    "{server} is not encrypted. Use https://, with --ca-file for a private certificate authority.": (
        "{server}は暗号化されていません。https://を使用し、社内の認証局の場合は--ca-fileを指定してください。"
    ),
    "What answered is not Daicho (HTTP {status}): a proxy, a log-in page, or a wrong address?": (
        "応答したのはDaichoではありません（HTTP {status}）。プロキシ、ログイン画面、アドレスの誤りを確認してください。"
    ),
    "The certificate of {server} is not trusted: {reason}. "
    "If it comes from a private certificate authority, name its file: --ca-file": (
        "{server}の証明書を信頼できません：{reason}。社内の認証局が発行したものなら、そのファイルを--ca-fileで指定してください。"
    ),
    "{server} cannot be reached: {reason}": "{server}に接続できません：{reason}",
    "The server cannot answer now ({code}, HTTP {status}).": "サーバーは現在応答できません（{code}、HTTP {status}）。",
    "The server does not tell its keys (HTTP {status}).": "サーバーから鍵を取得できません（HTTP {status}）。",
    "The document is signed by a key that this device does not know.": (
        "文書の署名に使われた鍵を、この機器は知りません。"
    ),
    "The server's key sets do not follow one another.": "サーバーの鍵セットの連鎖が途切れています。",
    "The server's key is not the one that this device was told to trust ({pin}).": (
        "サーバーの鍵が、信頼するよう指定された鍵（{pin}）と異なります。"
    ),
    "The signature of the server's document is wrong.": "サーバーの文書の署名が正しくありません。",
    "The server's document cannot be read ({reason}).": "サーバーの文書を読み取れません（{reason}）。",
    "The server's document does not answer what was asked ({name}).": (
        "サーバーの文書は、要求した内容への応答ではありません（{name}）。"
    ),
    "{registration}, {authorization}": "{registration}, {authorization}",
    "The file {path} cannot be read: {reason}": "ファイル{path}を読み込めません：{reason}",
    "register needs --server and a token (--token-file, DAICHO_TOKEN or --token)": (
        "registerには--serverと登録トークン（--token-file、DAICHO_TOKEN、--tokenのいずれか）が必要です"
    ),
    "This computer does not say what it is. Give --product-id and --serial.": (
        "このコンピューターの製品IDとシリアル番号が分かりません。--product-idと--serialを指定してください。"
    ),
    "Registered as {instance}: {product_id}, {serial}.": "{instance}として登録しました：{product_id}、{serial}",
    "deregister needs --yes when nobody can be asked": "確認できる人がいない場合、deregisterには--yesが必要です",
    "Give all licenses back and leave? [y/N] ": "すべてのライセンスを返却して登録を解除しますか? [y/N] ",
    "Deregistered.": "登録を解除しました。",
    "at least 1; to give back, release": "1以上を指定してください。返却はreleaseです",
    "{tag}: {quantity} authorized.": "{tag}：{quantity}個の使用が許可されました。",
    "{tag}: {quantity} in use, but {missing} more than there are. Your license administrator is told.": (
        "{tag}：{quantity}個を使用中ですが、{missing}個不足しています。ライセンス管理者に通知されます。"
    ),
    "{tag}: {quantity} reserved for this device.": "{tag}：この機器用に{quantity}個が予約されています。",
    "{tag}: {quantity} under evaluation, which ends after {days} more days of use.": (
        "{tag}：{quantity}個を評価中です。評価期間は残り{days}日間の使用で終わります。"
    ),
    "{tag}: the evaluation has ended. Register this device.": (
        "{tag}：評価期間が終わりました。この機器を登録してください。"
    ),
    "{tag}: the authorization has ended, because the server was not reached for too long.": (
        "{tag}：サーバーに長期間接続できなかったため、使用許可が切れました。"
    ),
    "{tag}: the server has not been asked yet, and the evaluation has ended.": (
        "{tag}：サーバーにまだ問い合わせておらず、評価期間も終わっています。"
    ),
    "{tag}: refused ({code}).": "{tag}：拒否されました（{code}）。",
    " {missing} are missing.": "{missing}個不足しています。",
    "Another device uses the identity of this one. See: daicho-agent renew": (
        "この機器の識別情報が別の機器でも使われています。「daicho-agent renew」を実行して確認してください。"
    ),
    "This device was removed. Register it again with a token.": (
        "この機器の登録は解除されています。登録トークンで登録し直してください。"
    ),
    "Another device took the place of this one; it will not be answered any more.": (
        "別の機器がこの機器の後継になりました。サーバーは応答しません。"
    ),
    "The server does not know this device. Register it again with a token.": (
        "サーバーはこの機器を知りません。登録トークンで登録し直してください。"
    ),
    "The server does not accept this device's key. Register it again with a token.": (
        "サーバーがこの機器の鍵を受け付けません。登録トークンで登録し直してください。"
    ),
}
