"""What happens, what goes wrong, and what to do about it, in Japanese."""

SENTENCES = {
    "The add-on failed in a way it does not know: {0}: {1}.": "アドオンで未知のエラーが発生しました: {0}: {1}。",
    "Please report this with the log.": "ログを添えて報告してください。",
    "Reading the photos.": "写真を読み込み中。",
    "The scene '{0}' is still being made.": "シーン「{0}」はまだ作成中です。",
    "Wait for it, or cancel it.": "完了を待つか、キャンセルしてください。",
    "Place or discard it first.": "先に配置するか破棄してください。",
    "'{0}' is ready.": "「{0}」が完成しました。",
    "No finished scene waits to be placed.": "配置待ちの完成したシーンはありません。",
    "It was started in another file.": "別のファイルで開始されました。",
    "It could not be placed.": "配置できませんでした。",
    "Making the scene.": "シーンを作成中。",
    "Starting the worker.": "ワーカーを起動中。",
    "None of the photos can be used.": "使える写真がありません。",
    "There are no photos yet.": "写真がまだありません。",
    "Add photos; two or more of the same place work best.": (
        "写真を追加してください。同じ場所の写真が 2 枚以上あると効果的です。"
    ),
    "The DA3 scene to update is not there any more.": "更新する DA3 シーンがもうありません。",
    "Make a new one.": "新しく作成してください。",
    "None of the photos in the list belongs to this DA3 scene.": (
        "リストの写真はどれもこの DA3 シーンのものではありません。"
    ),
    "Load its own photos first.": "先に元の写真を読み込んでください。",
    "{0} cannot be read: {1}.": "{0} を読み込めません: {1}。",
    "Check the file, or remove the photo.": "ファイルを確認するか、写真を削除してください。",
    "{0} is not here yet ({1}).": "{0} はまだありません ({1})。",
    "The license of {0}, {1}, has not been accepted yet.": "{0} のライセンス {1} にまだ同意していません。",
    "Download it in the Model panel, or choose another model.": (
        "モデルパネルでダウンロードするか、別のモデルを選んでください。"
    ),
    "Accept it in the Model panel, or choose another model.": "モデルパネルで同意するか、別のモデルを選んでください。",
    "This folder holds no {0}": "このフォルダーに {0} がありません",
    "There is no such file or folder": "そのファイルやフォルダーはありません",
    "Only safetensors files are opened; others could run any program": (
        "safetensors ファイルのみ開けます。他の形式は任意のプログラムを実行するおそれがあります"
    ),
    "Blender's online access is off, so nothing is downloaded.": (
        "Blender のオンラインアクセスがオフのため、ダウンロードしません。"
    ),
    "{0} comes under {1}, which has not been accepted.": "{0} のライセンス {1} に同意していません。",
    "Its {0} cannot be read": "{0} を読み込めません",
    "Allow it in Preferences > System > Network.": "プリファレンス > システム > ネットワークで許可してください。",
    "Another download is running.": "別のダウンロードが実行中です。",
    "Accept it, or choose a model under Apache-2.0.": "同意するか、Apache-2.0 のモデルを選んでください。",
    "A download is running.": "ダウンロードが実行中です。",
    "The download was cancelled.": "ダウンロードをキャンセルしました。",
    "The folder of models cannot be looked at: {0}.": "モデルのフォルダーを調べられません: {0}。",
    "Choose another folder for models.": "モデル用に別のフォルダーを選んでください。",
    "is damaged": "は壊れています",
    "ends too early": "は途中で終わっています",
    "RAW photos cannot be read; develop it to a JPEG or TIFF": (
        "RAW 写真は読み込めません。JPEG か TIFF に現像してください"
    ),
    "{0} photos cannot be read; export it as a JPEG": "{0} の写真は読み込めません。JPEG に書き出してください",
    "{0} pictures cannot be read; save it as a JPEG or PNG": (
        "{0} の画像は読み込めません。JPEG か PNG で保存してください"
    ),
    "The folder {0} holds no photos": "フォルダー {0} に写真がありません",
    "No photo is chosen": "写真が選択されていません",
    "This is a folder, not a photo": "これは写真ではなくフォルダーです",
    "The file is empty; copy it again": "ファイルが空です。コピーし直してください",
    "The folder cannot be read: {0}": "フォルダーを読み込めません: {0}",
    "This is a pipe or a device, not a photo": "これは写真ではなくパイプかデバイスです",
    "This is a preview that this program made": "これはこのプログラムが作ったプレビューです",
    "This is a link to a file that is not there; copy the photo itself to its place": (
        "リンク先のファイルがありません。写真そのものをここにコピーしてください"
    ),
    "The name of the file or of a folder around it is not UTF-8; rename it": (
        "ファイルかその上のフォルダーの名前が UTF-8 ではありません。名前を変更してください"
    ),
    "This image is not in the file any more": "この画像はもうファイル内にありません",
    "This image is not packed into the file any more": "この画像はもうファイルにパックされていません",
    "The file is not there any more": "ファイルがもうありません",
    "The file cannot be read: {0}": "ファイルを読み込めません: {0}",
    "The file {0}; copy it again": "ファイル{0}。コピーし直してください",
    "The file is not a photo; only JPEG, PNG, WebP and TIFF are read": (
        "ファイルは写真ではありません。読み込めるのは JPEG、PNG、WebP、TIFF のみです"
    ),
    "Its scene '{0}' is not there any more.": "元のシーン「{0}」がもうありません。",
    "The DA3 scene that it should update is not there any more.": "更新するはずの DA3 シーンがもうありません。",
    "The scene is ready and waits for the render to end.": "シーンが完成し、レンダリングの終了を待っています。",
    "The scene is ready and waits until you have finished what you are doing.": (
        "シーンが完成し、現在の操作の終了を待っています。"
    ),
    "The worker has another version than the add-on.": "ワーカーとアドオンのバージョンが異なります。",
    "Install the same version of the worker's package there.": (
        "そちらに同じバージョンのワーカーパッケージをインストールしてください。"
    ),
    "The installed runtime does not start.": "インストール済みのランタイムが起動しません。",
    "Repair it.": "修復してください。",
    "{python} is not a Python that has model_runtime.": "{python} は model_runtime を持つ Python ではありません。",
    "The remote machine cannot be reached, or the connection to it broke.": (
        "リモートマシンに接続できないか、接続が切れました。"
    ),
    "The log tells why. Try the command in a terminal; it must log in without asking for a password.": (
        "理由はログにあります。ターミナルでコマンドを試してください。パスワードなしでログインできる必要があります。"
    ),
    "The worker's program was not found.": "ワーカーのプログラムが見つかりません。",
    "Install the worker's package on the other machine, and give the full path of da3-runtime in the command.": (
        "別のマシンにワーカーのパッケージをインストールし、コマンドに da3-runtime のフルパスを指定してください。"
    ),
    "The worker has version {0}, the add-on {1}.": "ワーカーのバージョンは {0}、アドオンは {1} です。",
    "Install the runtime again, or the same version on the worker's machine.": (
        "ランタイムを再インストールするか、ワーカーのマシンに同じバージョンを入れてください。"
    ),
    "This machine has an NVIDIA GPU, but the worker's torch is the CPU build.": (
        "このマシンには NVIDIA GPU がありますが、ワーカーの torch は CPU 用です。"
    ),
    "Install the runtime again with torch for this machine's GPU.": (
        "このマシンの GPU 用の torch でランタイムを再インストールしてください。"
    ),
    "torch {0} cannot use this machine's NVIDIA GPU, so jobs run on the CPU.": (
        "torch {0} はこのマシンの NVIDIA GPU を使えないため、CPU で計算します。"
    ),
    "Update the NVIDIA driver, then repair the runtime.": "NVIDIA ドライバーを更新し、ランタイムを修復してください。",
    "Install the extension again.": "エクステンションを再インストールしてください。",
    "The last installation was interrupted.": "前回のインストールは中断されました。",
    "Install again: finished downloads are kept.": (
        "もう一度インストールしてください。完了したダウンロードは残っています。"
    ),
    "The extension does not hold the worker's package.": "エクステンションにワーカーのパッケージが含まれていません。",
    "{0} cannot be removed.": "{0} を削除できません。",
    "Close other Blenders and try again.": "他の Blender を閉じてもう一度試してください。",
    "Another Blender is installing the runtime.": "別の Blender がランタイムをインストール中です。",
    "Wait for it to end, or stop it there.": "終了を待つか、そちらで停止してください。",
    "Starting.": "開始中。",
    "Looking at the disk and the package.": "ディスクとパッケージを確認中。",
    "Putting the runtime into place.": "ランタイムを配置中。",
    "Looking for uv, the installer.": "インストーラー uv を検索中。",
    "uv, the program that installs the runtime, does not start.": (
        "ランタイムをインストールするプログラム uv が起動しません。"
    ),
    "Install uv and try again.": "uv をインストールしてもう一度試してください。",
    "Fetching Python.": "Python を取得中。",
    "Choosing packages for this machine.": "このマシン用のパッケージを選択中。",
    "Starting the worker for the first time.": "ワーカーを初めて起動中。",
    "The installation was cancelled.": "インストールをキャンセルしました。",
    "What was installed before is still in place.": "以前にインストールしたものは残っています。",
    "Check that the folder can be written to.": "フォルダーに書き込めるか確認してください。",
    "The installation failed in a way it does not know: {0}: {1}.": (
        "インストールで未知のエラーが発生しました: {0}: {1}。"
    ),
    "Blender does not allow online access, and the runtime has to be downloaded.": (
        "ランタイムのダウンロードが必要ですが、Blender のオンラインアクセスが許可されていません。"
    ),
    "Allow it in Preferences > System > Network, or use an existing Python.": (
        "プリファレンス > システム > ネットワークで許可するか、既存の Python を使ってください。"
    ),
    "The runtime needs {0} GB of disk space, and {1} GB are free.": (
        "ランタイムには {0} GB のディスク容量が必要ですが、空きは {1} GB です。"
    ),
    "Free some space on the disk of {0}.": "{0} のあるディスクの空きを増やしてください。",
    "Fetching uv, the installer.": "インストーラー uv を取得中。",
    "Choosing PyTorch, unverified.": "PyTorch を選択中 (未検証)。",
    "PyTorch will be installed unverified: the add-on knows no hashes of this build, so only the connection to "
    "download.pytorch.org vouches for it. All other packages are checked.": (
        "PyTorch は検証なしでインストールされます。このビルドのハッシュをアドオンは知らないため、"
        "保証するのは download.pytorch.org への接続だけです。ほかのパッケージはすべて検証されます。"
    ),
    "This build computes on the CPU. For this machine's GPU the add-on has no build that it can verify; "
    "PyTorch Build > GPU, Unverified installs one all the same.": (
        "このビルドは CPU で計算します。このマシンの GPU 用に検証できるビルドをアドオンは持っていませんが、"
        "PyTorch のビルド > GPU (未検証) を選べばインストールできます。"
    ),
    "A file has not the hash that the add-on knows, found while {0}: nothing of it was installed.": (
        "{0}中に、アドオンの知るハッシュと一致しないファイルが見つかりました。何もインストールしていません。"
    ),
    "Repair the runtime, which fetches everything anew. If this comes again, a proxy, a mirror or somebody else "
    "changes files; the log names the package.": (
        "ランタイムを修復すると、すべて取得し直します。繰り返す場合は、プロキシ、ミラー、または第三者がファイルを変えています。"
        "パッケージ名はログにあります。"
    ),
    "The extension does not hold the hashes of the worker's packages: {0}.": (
        "エクステンションにワーカーのパッケージのハッシュがありません: {0}。"
    ),
    "{0} of the extension is damaged or missing.": "エクステンションの {0} が壊れているか、ありません。",
    "Blender's Python cannot make the small environment that uv is fetched into.": (
        "Blender の Python は uv を入れる小さな環境を作成できません。"
    ),
    "Install uv (docs.astral.sh/uv) and try again; on Debian, `apt install python3-venv` helps too.": (
        "uv (docs.astral.sh/uv) をインストールしてもう一度試してください。Debian では `apt install python3-venv` "
        "も有効です。"
    ),
    "The new runtime does not start.": "新しいランタイムが起動しません。",
    "The log tells why. The earlier runtime, if there was one, is still in place.": (
        "理由はログにあります。以前のランタイムがあれば、そのまま残っています。"
    ),
    "The installation failed: {0}.": "インストールに失敗しました: {0}。",
    "fetching uv": "uv の取得",
    "Using this machine's Python.": "このマシンの Python を使用中。",
    "fetching Python": "Python の取得",
    "installing packages": "パッケージのインストール",
    "uv could neither fetch Python {0} nor find a Python {1} here.": (
        "uv は Python {0} を取得できず、Python {1} もここに見つかりませんでした。"
    ),
    "Install Python 3.12 from python.org and try again.": (
        "python.org から Python 3.12 をインストールしてもう一度試してください。"
    ),
    "The disk became full.": "ディスクがいっぱいになりました。",
    "The folder of the runtime cannot be used: {0}.": "ランタイムのフォルダーを使えません: {0}。",
    "Check its permissions.": "アクセス権を確認してください。",
    "The distance is zero.": "距離が 0 です。",
    "Type the distance between the two points.": "2 点間の距離を入力してください。",
    "The two points are the same.": "2 点が同じです。",
    "Pick two points that lie well apart.": "十分に離れた 2 点を選んでください。",
    "With this distance the scene would become a million times larger or smaller.": (
        "この距離ではシーンが 100 万倍の大きさ、または 100 万分の 1 になってしまいます。"
    ),
    "Check the distance and its unit.": "距離と単位を確認してください。",
    "The three points are the same.": "3 点が同じです。",
    "Pick three points of the floor that lie well apart.": "十分に離れた床の 3 点を選んでください。",
    "The three points lie on one line.": "3 点が一直線上にあります。",
    "Pick three points of the floor that make a wide triangle.": "広い三角形になる床の 3 点を選んでください。",
    "The scene's objects are scaled unevenly, so turning the scene would shear it.": (
        "シーンのオブジェクトのスケールが不均一なため、回転するとゆがみます。"
    ),
    "Scale them the same along x, y and z first, and their parents too.": (
        "先にオブジェクトとその親のスケールを X、Y、Z で同じにしてください。"
    ),
    "This DA3 scene is linked from another file.": "この DA3 シーンは別のファイルからリンクされています。",
    "Change it in its own file.": "元のファイルで変更してください。",
    "A part of this DA3 scene is being edited.": "この DA3 シーンの一部が編集中です。",
    "Go to Object Mode first.": "先にオブジェクトモードに切り替えてください。",
    "The scene has no objects any more.": "シーンにはもうオブジェクトがありません。",
    "Make it again from its photos.": "写真から作り直してください。",
    "The scene's objects are scaled to nothing.": "シーンのオブジェクトのスケールが 0 です。",
    "Scale them up again first.": "先にスケールを元に戻してください。",
    "The scene kept its size; in meters, as the model sees it, it is {0} times as large.": (
        "シーンの大きさはそのままです。モデルの推定では、メートル単位でこの {0} 倍です。"
    ),
    "No point is left: every pixel is sky or lies on a depth edge.": (
        "点が残りません。すべてのピクセルが空か奥行きの境目にあります。"
    ),
    "Lower the edge angle, or use other photos.": "エッジフィルターの角度を下げるか、別の写真を使ってください。",
    "The scene has no name.": "シーンに名前がありません。",
    "Give it one.": "名前を付けてください。",
    "{0} splats above the limit of {1} were left out.": "上限 {1} を超えるスプラット {0} 個を省きました。",
    "{0} is not there any more; its camera has no photo behind it.": (
        "{0} がもうないため、そのカメラの背景に写真がありません。"
    ),
    "This DA3 scene does not tell which photos it was made from.": "この DA3 シーンには、元の写真の情報がありません。",
    "Add them to the list.": "リストに追加してください。",
    "The installation failed while {0}.": "インストールに失敗しました（{0}）。",
    "The log tells more. Try again.": "詳細はログにあります。もう一度試してください。",
    "Free some disk space and try again: finished downloads are kept.": (
        "ディスクの空きを増やしてもう一度試してください。完了したダウンロードは残っています。"
    ),
    "Downloading {0} ({1} MiB); {2} files to go.": "{0} をダウンロード中 ({1} MiB)、残り {2} ファイル。",
    "The disk became full while {0}.": "ディスクがいっぱいになりました（{0}）。",
    "The network failed while {0}.": "ネットワークエラーが発生しました（{0}）。",
    "Check the connection, a proxy or a firewall (pypi.org, github.com and download.pytorch.org are needed), "
    "and try again: finished downloads are kept.": (
        "接続、プロキシ、ファイアウォールを確認し（pypi.org、github.com、download.pytorch.org が必要）、もう一度試"
        "してください。完了したダウンロードは残っています。"
    ),
    "There is no build of torch for this machine's NVIDIA driver.": (
        "このマシンの NVIDIA ドライバーに合う torch のビルドがありません。"
    ),
    "Update the driver and try again, or choose the CPU build of torch.": (
        "ドライバーを更新してもう一度試すか、torch の CPU 用ビルドを選んでください。"
    ),
    "A package that the runtime needs has no build for this machine.": (
        "ランタイムに必要なパッケージに、このマシン用のビルドがありません。"
    ),
    "Use a worker on another machine; the log names the package.": (
        "別のマシンのワーカーを使ってください。パッケージ名はログにあります。"
    ),
    "Putting the packages into place.": "パッケージを配置中。",
    "Write it as in a terminal, such as: ssh gpubox da3-runtime worker": (
        "ターミナルと同じように入力してください。例: ssh gpubox da3-runtime worker"
    ),
    "The worker's command is empty.": "ワーカーのコマンドが空です。",
    "The runtime, which computes the scenes, is not installed yet.": (
        "シーンを計算するランタイムがまだインストールされていません。"
    ),
    "Install it in the add-on's preferences, or choose an existing Python or a remote worker there.": (
        "アドオンの設定でインストールするか、既存の Python またはリモートワーカーを選んでください。"
    ),
    "There is no Python at '{0}'.": "「{0}」に Python がありません。",
    "No Python is chosen.": "Python が選択されていません。",
    "Choose a Python that has model_runtime in the preferences.": (
        "model_runtime を持つ Python を設定で選んでください。"
    ),
    "The worker's command cannot be read: {0}.": "ワーカーのコマンドを解釈できません: {0}。",
    "Its log tells more. The next job starts a new worker.": (
        "詳細はログにあります。次のジョブで新しいワーカーが起動します。"
    ),
    "The worker said nothing for {0} seconds.": "ワーカーから {0} 秒間応答がありません。",
    "The worker's machine has not enough memory.": "ワーカーのマシンのメモリが足りません。",
    "Lower the resolution, use fewer photos, or close other programs there.": (
        "解像度を下げる、写真を減らす、またはそこで動いている他のプログラムを閉じてください。"
    ),
    "The worker has given no sign of life for {0} seconds.": "ワーカーから {0} 秒間応答がありません。",
    "The worker has stopped: nothing came from it for {0} seconds.": (
        "ワーカーが停止しました。{0} 秒間何も届いていません。"
    ),
    "Check the connection and its machine. The next job starts a new worker.": (
        "接続とそのマシンを確認してください。次のジョブは新しいワーカーを起動します。"
    ),
    "The worker sent {0}, which belongs to no job.": "ワーカーが、どのジョブにも属さない {0} を送りました。",
    "The worker answered with {0} where {1} was due.": "{1} が返るべきところで、ワーカーが {0} を返しました。",
    "A frame was begun, and nothing more of it came for {0} seconds.": (
        "フレームが始まったまま、{0} 秒間続きが届きませんでした。"
    ),
    "The worker ended before the job was done ({0}).": "ジョブが完了する前にワーカーが終了しました ({0})。",
    "it closed its output": "出力が閉じられました",
    "exit status {0}": "終了ステータス {0}",
    "The worker was stopped.": "ワーカーを停止しました。",
    "Try its command in a terminal: {0}": "ターミナルでコマンドを試してください: {0}",
    "The worker speaks version {0} of the protocol, not {1}.": (
        "ワーカーのプロトコルのバージョンは {1} ではなく {0} です。"
    ),
    "Install the same version of the add-on and of the worker's environment.": (
        "アドオンとワーカーの環境に同じバージョンをインストールしてください。"
    ),
    "The system may have run out of memory: lower the resolution or use fewer photos.": (
        "システムのメモリ不足の可能性があります。解像度を下げるか、写真を減らしてください。"
    ),
    "The worker cannot be started: {0}: {1}.": "ワーカーを起動できません: {0}: {1}。",
    "The worker's answer cannot be read: {0}.": "ワーカーの応答を読み取れません: {0}。",
    "Check the worker's Python or remote command.": "ワーカーの Python またはリモートコマンドを確認してください。",
    "The job cannot be sent: {0}": "ジョブを送信できません: {0}",
    "The given cameras miss the features that the photos share by {0} pixels. Check that they are those of "
    "these photos, in this order.": (
        "既知のカメラは写真に共通する特徴点から {0} ピクセルずれています。この順番の写真のカメラか確認してください。"
    ),
    "Features place {0} of the {1} photos, so the cameras are the network's. Photos that overlap more, "
    "show more texture and are taken from different places help.": (
        "特徴点で配置できた写真は {1} 枚中 {0} 枚のため、ネットワークのカメラを使います。重なりと模様が多く、別々の場所"
        "から撮った写真が効果的です。"
    ),
    "The photos' features did not make the cameras better; they are as the network found them.": (
        "写真の特徴点ではカメラが良くならなかったため、ネットワークの推定のままです。"
    ),
    "Features do not place {0}, as where a photo shows nothing that the others do: where its camera stands is the "
    "network's guess and may be far off.": (
        "特徴点では {0} を配置できません。ほかの写真と共通するものが写っていないと起こります。そのカメラの位置はネット"
        "ワークの推測で、大きく外れている場合があります。"
    ),
    "The photos show all but the same, so nothing in them tells how far things are, nor the focal length: it is what "
    "the EXIF data say, or else a usual one. Take photos from different places.": (
        "写真がほとんど同じなので、物までの距離も焦点距離も分かりません。焦点距離は EXIF の値か一般的な値です。別々の場"
        "所から撮ってください。"
    ),
    "{0} of {1} pairs of photos match in another way than these cameras say, as where a pattern repeats: some cameras "
    "may stand in a wrong place. Look through them; photos closer together help.": (
        "写真の組 {1} 組中 {0} 組の対応がこのカメラと合いません。繰り返し模様で起こり、一部のカメラの位置が誤っている可"
        "能性があります。カメラから覗いて確認してください。撮影間隔を狭めると改善します。"
    ),
    "No point is left: the photos are transparent, or sky, all over.": ("点が残りません: 写真はすべて透明か空です。"),
    "Use photos that show something.": "何かが写っている写真を使ってください。",
    "The network's cameras were too far off to start from; features alone placed the photos.": (
        "ネットワークのカメラは出発点にするには外れすぎていたため、特徴点だけで写真を配置しました。"
    ),
    "Free for any use, also commercial; name the authors when you pass the model on.": (
        "商用を含め自由に利用可能。モデルを再配布する場合は作者名を表示。"
    ),
    "Not for commercial use: nothing made with this model may be made for or used for payment or advantage in "
    "business. Name the authors when you share it.": (
        "商用利用不可。このモデルで作ったものを、報酬や営利目的で作成・使用することはできません。共有する場合は作"
        "者名を表示。"
    ),
    "Comes with the add-on: quick tries on any computer, with simple splats": (
        "アドオンに付属。どのコンピューターでも手軽に試せ、簡易なスプラットも作れる"
    ),
    "Quick scenes on a laptop or without a graphics card": "ノート PC やグラフィックカードなしでも速い",
    "The best model of many photos that commercial work may use": "商用利用できる、複数の写真に最適なモデル",
    "Good cameras and depth for a graphics card with 8 GB": "8 GB のグラフィックカード向けの良好なカメラと深度",
    "The best cameras, depth and splats, without a known scale": "最良のカメラ、深度、スプラット。スケールは不明",
    "The best cameras, depth and splats, in meters": "最良のカメラ、深度、スプラット。メートル単位",
    "Depth in meters from single photos; commercial use allowed": "1 枚の写真からメートル単位の深度。商用利用可",
    "Fine depth from single photos, without a known scale; commercial use allowed": (
        "1 枚の写真から細かな深度。スケールは不明。商用利用可"
    ),
    "To repeat old results; Large 1.1 is better": "以前の結果の再現用。Large 1.1 のほうが高品質",
    "The same weights as Giant 1.1 under their first name": "Giant 1.1 と同じ重みの旧名",
    "To repeat old results; Nested 1.1 is better": "以前の結果の再現用。Nested 1.1 のほうが高品質",
    "{0} does not fit the preset {1}: {2}.": "{0} はプリセット {1} に合いません: {2}。",
    "Check model_name in its config.json, or choose the checkpoint this file was made for.": (
        "config.json の model_name を確認するか、このファイルに合うチェックポイントを選んでください。"
    ),
    "{0} is not a complete safetensors file: {1}.": "{0} は完全な safetensors ファイルではありません: {1}。",
    "Copy or download the file again.": "ファイルをコピーまたはダウンロードし直してください。",
    "{0} is not here yet: {1}.": "{0} はまだありません: {1}。",
    "Download it in the model list, or put its {0} and {1} into {2}.": (
        "モデルリストでダウンロードするか、{0} と {1} を {2} に置いてください。"
    ),
    "The folder {0} holds no {1}.": "フォルダー {0} に {1} がありません。",
    "A checkpoint is a folder with {0} and {1}.": "チェックポイントは {0} と {1} の入ったフォルダーです。",
    "{0} should come with the worker, but {1} is missing.": "{0} はワーカーに付属しますが、{1} がありません。",
    "Install the worker again.": "ワーカーを再インストールしてください。",
    "{0} is a pickle file, which could run any program; it is not opened.": (
        "{0} は任意のプログラムを実行できる pickle ファイルのため、開きません。"
    ),
    "Use the same weights as {0}.": "同じ重みの {0} を使ってください。",
    "The {0} beside {1} names {2}, so nobody knows which network the weights are for.": (
        "{1} と並ぶ {0} に {2} とあるため、どのネットワークの重みかわかりません。"
    ),
    'It should read {{"model_name": "da3-small"}}, or another of {0}.': (
        '{{"model_name": "da3-small"}} のように、次のいずれかを書いてください: {0}。'
    ),
    "There is no checkpoint '{0}': no known name, and no file or folder the worker can see.": (
        "チェックポイント「{0}」がありません。既知の名前でも、ワーカーから見えるファイルやフォルダーでもありません。"
    ),
    "Known names: {0}.": "既知の名前: {0}。",
    "There is no device '{0}'.": "デバイス「{0}」がありません。",
    "Choose auto, cpu, mps, cuda or cuda:N.": "auto、cpu、mps、cuda、cuda:N のいずれかを選んでください。",
    "The worker's machine has no device '{0}' that torch {1} can use.": (
        "ワーカーのマシンには、torch {1} が使えるデバイス「{0}」がありません。"
    ),
    "Choose auto, or install the torch build for this device.": (
        "auto を選ぶか、このデバイス用の torch をインストールしてください。"
    ),
    "There is no precision '{0}'.": "精度「{0}」はありません。",
    "Choose one of {0}.": "{0} のいずれかを選んでください。",
    "Free some space, or choose a folder for models on another disk.": (
        "空きを増やすか、別のディスクにモデルのフォルダーを選んでください。"
    ),
    "Try again. If it stays so, a proxy or mirror changes files: use another connection.": (
        "もう一度試してください。直らない場合はプロキシやミラーがファイルを書き換えています。別の接続を使ってください。"
    ),
    "Checking {0}.": "{0} を検査中。",
    "{0} was refused: {1}.": "{0} を拒否しました: {1}。",
    "Downloading {0}: {1}.": "{0} をダウンロード中: {1}。",
    "{0} still needs {1} in {2}, but {3} are free there.": "{0} には {2} にあと {1} 必要ですが、空きは {3} です。",
    "Read {0} and accept it, or choose a model under {1}.": "{0} を読んで同意するか、{1} のモデルを選んでください。",
    "Asking for {0}.": "{0} を問い合わせ中。",
    "what arrived is not what was published; it was deleted": "受信した内容が公開されたものと異なるため削除しました",
    "the file on offer is another than the one this version of the add-on knows": (
        "提供されているファイルが、このバージョンのアドオンが知るものと異なります"
    ),
    "The hub publishes no SHA-256 of {0}, so nothing could be checked.": (
        "ハブが {0} の SHA-256 を公開していないため、検証できません。"
    ),
    "A proxy or mirror may leave it out: try without it.": (
        "プロキシやミラーが省いている可能性があります。使わずに試してください。"
    ),
    "its {0} is not what was published": "{0} が公開されたものと異なります",
    "Downloading {0}: {1}, {2} left.": "{0} をダウンロード中: {1}、残り {2}。",
    "{0} cannot be written to {1}: {2}.": "{0} を {1} に書き込めません: {2}。",
    "{0} is being downloaded already, by another Blender or worker.": (
        "{0} は別の Blender またはワーカーがダウンロード中です。"
    ),
    "The connection broke off; trying again. {0}.": "接続が切れたため再試行中。{0}。",
    "Wait until it is here.": "完了するまで待ってください。",
    "{0} are here.": "{0} は受信済みです。",
    "Looking at what is here of {0}.": "{0} の受信済みの分を確認中。",
    "{0} does not fit in {1}.": "{0} は {1} に収まりません。",
    "Placing the photos by their features.": "特徴点で写真を配置中。",
    "Looking for features in {0}.": "{0} の特徴点を検出中。",
    "Matching {0} with {1}.": "{0} と {1} を照合中。",
    "Refining the cameras by their features.": "特徴点でカメラを改善中。",
    "Cameras are world-to-camera, x right, y down, z forward, in pixels.": (
        "カメラはワールドからカメラへの変換（X 右、Y 下、Z 前方）、ピクセル単位です。"
    ),
    "The request says its cameras are given, but gives none.": "既知のカメラを使う指定ですが、カメラがありません。",
    "Give them, or auto.": "カメラを指定するか、auto にしてください。",
    "{0} photos need extrinsics [{1}, 4, 4] and intrinsics [{2}, 3, 3], not {3}.": (
        "写真 {0} 枚には {3} ではなく extrinsics [{1}, 4, 4] と intrinsics [{2}, 3, 3] が必要です。"
    ),
    "The camera of {0} holds numbers that are too large or not finite.": (
        "{0} のカメラに大きすぎる、または有限でない数値があります。"
    ),
    "The camera of {0} is not placed by a rotation and a translation.": (
        "{0} のカメラの位置が回転と移動で表されていません。"
    ),
    "The intrinsics of {0} are not those of a pinhole camera.": (
        "{0} の intrinsics がピンホールカメラのものではありません。"
    ),
    "The camera of {0} has skew, which is not supported.": (
        "{0} のカメラには歪み（スキュー）があり、対応していません。"
    ),
    "Calibrate it without skew: the second number of the intrinsics is then 0.": (
        "スキューなしで較正してください。intrinsics の 2 番目の数値が 0 になります。"
    ),
    "{0} cannot hand out {1} at the moment (status {2}).": "{0} は現在 {1} を提供できません（ステータス {2}）。",
    "Download again: it goes on where it stopped.": "もう一度ダウンロードしてください。中断したところから再開します。",
    "{0} cannot be reached ({1}).": "{0} に接続できません ({1})。",
    "Agree to the terms at {0} and give the worker your token as HF_TOKEN.": (
        "{0} で規約に同意し、トークンを HF_TOKEN としてワーカーに渡してください。"
    ),
    "{0} has no such file: {1}.": "{0} にこのファイルはありません: {1}。",
    "Check the token in HF_TOKEN, or remove it: the released models need none.": (
        "HF_TOKEN のトークンを確認するか削除してください。公開モデルには不要です。"
    ),
    "Try again in some minutes.": "数分後にもう一度試してください。",
    "{0} does not tell the commit, hash and size of {1} of {2}.": (
        "{0} から {2} の {1} のコミット、ハッシュ、サイズを取得できません。"
    ),
    "A proxy or mirror may leave them out: try without it, or put the files into the folder by hand.": (
        "プロキシやミラーが省いている可能性があります。使わずに試すか、ファイルを手動でフォルダーに置いてください。"
    ),
    "Downloads are switched off (HF_HUB_OFFLINE is set).": (
        "ダウンロードが無効です（HF_HUB_OFFLINE が設定されています）。"
    ),
    "Allow online access.": "オンラインアクセスを許可してください。",
    "Check the connection, then try again.": "接続を確認してもう一度試してください。",
    "{0} cannot be downloaded: {1}.": "{0} をダウンロードできません: {1}。",
    "{0} is only given to those who agreed to its terms.": "{0} は規約に同意した人だけが利用できます。",
    "It may have moved: update the add-on, or use another model.": (
        "移動した可能性があります。アドオンを更新するか、別のモデルを使ってください。"
    ),
    "{0} refuses to hand out {1} (status {2}).": "{0} が {1} の提供を拒否しました（ステータス {2}）。",
    "{0} does not answer in time.": "{0} が時間内に応答しません。",
    "There is no model '{0}'.": "モデル「{0}」はありません。",
    "{0} comes with the worker and stays.": "{0} はワーカーに付属し、削除できません。",
    "Choose a downloaded model.": "ダウンロードしたモデルを選んでください。",
    "The files of {0} cannot be deleted: {1}.": "{0} のファイルを削除できません: {1}。",
    "Close what uses them, then try again.": "使用中のプログラムを閉じてもう一度試してください。",
    "The network looks at the photos: {0}.": "ネットワークが写真を解析中: {0}。",
    "The request holds no photos.": "写真がありません。",
    "Choose at least one photo.": "写真を 1 枚以上選んでください。",
    "{0} is only {1} x {2} pixels.": "{0} は {1} x {2} ピクセルしかありません。",
    "Sides need {0} or more.": "各辺は {0} 以上必要です。",
    "{0} is empty (0 bytes).": "{0} は空です（0 バイト）。",
    "Copy the file again or leave it out.": "ファイルをコピーし直すか、外してください。",
    "Two photos are called {0}.": "{0} という名前の写真が 2 枚あります。",
    "Give each its own name.": "それぞれ別の名前にしてください。",
    "{0} is the same file as {1}.": "{0} は {1} と同じファイルです。",
    "Leave one of the two out.": "どちらかを外してください。",
    "Scale the photo down; the network sees it at a small part of this size anyway.": (
        "写真を縮小してください。ネットワークはどのみちずっと小さなサイズで見ます。"
    ),
    "{0} is not a photo of a known format.": "{0} は対応する形式の写真ではありません。",
    "Save it as JPEG, PNG, WebP or TIFF.": "JPEG、PNG、WebP、TIFF のいずれかで保存してください。",
    "{0} cannot be decoded: {1}.": "{0} をデコードできません: {1}。",
    "The file seems damaged or cut short; copy it again or leave it out.": (
        "ファイルが壊れているか途中で切れています。コピーし直すか、外してください。"
    ),
    "{0} photos at a resolution of {1} and {2} do not fit into the memory of {3}.": (
        "写真 {0} 枚（解像度 {1}、{2}）は {3} のメモリに収まりません。"
    ),
    "Lower the resolution, use fewer photos or choose a smaller checkpoint.": (
        "解像度を下げるか、写真を減らすか、小さいチェックポイントを選んでください。"
    ),
    "Loading {0}.": "{0} を読み込み中。",
    "Working out cameras and views.": "カメラとビューを計算中。",
    "There is no camera source '{0}'.": "カメラの求め方「{0}」はありません。",
    "There is no reference view '{0}'.": "参照ビュー「{0}」はありません。",
    "A resolution of {0} pixels cannot be used.": "解像度 {0} ピクセルは使えません。",
    "Choose {0} to {1}; multiples of 14 lose nothing.": (
        "{0} から {1} を選んでください。14 の倍数なら無駄がありません。"
    ),
    "{0} predicts no rays, so there are no cameras to solve from them.": (
        "{0} はレイを推定しないため、レイからカメラを計算できません。"
    ),
    "Choose camera source auto, or another checkpoint.": "カメラを自動にするか、別のチェックポイントを選んでください。",
    "The photos show no surface that a mesh could be made of.": "メッシュにできる面が写真にありません。",
    "The given cameras were not used; the camera source asked for others.": (
        "別のカメラの求め方が指定されたため、既知のカメラは使いませんでした。"
    ),
    "Laying out splats.": "スプラットを配置中。",
    "Reading {0} ({1} of {2}).": "{0} を読み込み中 ({1} / {2})。",
    "{0} more photos cannot be used either.": "さらに {0} 枚の写真が使えません。",
    "The network's own cameras hardly agree with the given ones; the scale of the depth may be off.": (
        "ネットワークのカメラが既知のカメラとほとんど一致しないため、深度のスケールが外れている可能性があります。"
    ),
    "The checkpoint found no field of view for {0}; the focal length is {1}.": (
        "{0} の視野角が求まりませんでした。焦点距離は {1} です。"
    ),
    "This checkpoint does not relate photos to each other: all cameras stand at the origin.": (
        "このチェックポイントは写真同士を関連付けないため、すべてのカメラが原点にあります。"
    ),
    "The network found no cameras.": "ネットワークがカメラを求められませんでした。",
    "Choose precision float32 or another checkpoint.": "精度 float32 か、別のチェックポイントを選んでください。",
    "The network's depth of {0} is not finite.": "{0} の深度に有限でない値があります。",
    "Choose precision float32; if it already was, the checkpoint is damaged.": (
        "精度 float32 を選んでください。すでにそうであれば、チェックポイントが壊れています。"
    ),
    "The depth is in meters; the given cameras are taken to be in meters too.": (
        "深度はメートル単位です。既知のカメラもメートル単位とみなします。"
    ),
    "This checkpoint's depth has no known scale; it need not match that of the given cameras.": (
        "このチェックポイントの深度はスケール不明で、既知のカメラと合うとは限りません。"
    ),
    "Fusing the depth of all photos into one surface.": "すべての写真の深度を 1 つの面に統合中。",
    "Preparing depth for the mesh.": "メッシュ用の深度を準備中。",
    "The mesh is made.": "メッシュが完成しました。",
    "Choosing photos for the mesh.": "メッシュに使う写真を選択中。",
    "The worker failed in a way it does not know: {0}: {1}.": "ワーカーで未知のエラーが発生しました: {0}: {1}。",
    "The job was cancelled.": "ジョブをキャンセルしました。",
    "A worker takes no {0}.": "ワーカーは {0} を受け付けません。",
    "Send a job or Cancel.": "ジョブかキャンセルを送ってください。",
    "The id '{0}' is taken by another job.": "ID「{0}」は別のジョブが使用中です。",
    "A job needs an id.": "ジョブには ID が必要です。",
    "Give every job an id of its own.": "ジョブごとに別の ID を付けてください。",
    "Animated objects keep their keyframes, which were made for the scene before.": (
        "アニメーションするオブジェクトのキーフレームは、以前のシーンのまま残ります。"
    ),
    "Apply its scale and that of its parents.": "カメラとその親のスケールを適用してください。",
    "Check the file.": "ファイルを確認してください。",
    "Choose a camera of its own for each photo.": "写真ごとに別のカメラを選んでください。",
    "Choose it, or another source of cameras.": "フォルダーを選ぶか、カメラの別の求め方を選んでください。",
    "Choose one for each, or take the photo out.": "それぞれにカメラを選ぶか、写真を外してください。",
    "Choose the folder with cameras.bin and images.bin, or with cameras.txt and images.txt.": (
        "cameras.bin と images.bin、または cameras.txt と images.txt があるフォルダーを選んでください。"
    ),
    "Give one of the two.": "どちらか一方だけを指定してください。",
    "Give the photos names of their own.": "写真にそれぞれ別の名前を付けてください。",
    "No COLMAP folder is chosen.": "COLMAP フォルダーが選択されていません。",
    "No camera is known for {0}.": "{0} のカメラがわかりません。",
    "Run 'colmap image_undistorter', and use the photos and the model that it writes.": (
        "「colmap image_undistorter」を実行し、その出力の写真とモデルを使ってください。"
    ),
    "Set its type to Perspective, or choose another.": "タイプを「透視投影」にするか、別のカメラを選んでください。",
    "Show it, and its collection, in the viewport.": "カメラとそのコレクションをビューポートで表示してください。",
    "The COLMAP model cannot be read: {0}.": "COLMAP モデルを読み込めません: {0}。",
    "The COLMAP model has no camera for {0}.": "COLMAP モデルに {0} のカメラがありません。",
    "The camera '{0}' is hidden or not in this scene, so Blender does not tell where it is.": (
        "カメラ「{0}」は非表示かこのシーンにないため、Blender から位置を取得できません。"
    ),
    "The camera '{0}' is no perspective camera.": "カメラ「{0}」は透視投影のカメラではありません。",
    "The lens of {0} distorts in the COLMAP model ({1}).": "COLMAP モデルでは {0} のレンズに歪みがあります ({1})。",
    "The request gives cameras and a COLMAP model.": "カメラと COLMAP モデルの両方が指定されています。",
    "There is no COLMAP model in the folder {0}.": "フォルダー {0} に COLMAP モデルがありません。",
    "Write it again with COLMAP, or copy it anew.": "COLMAP で書き出し直すか、コピーし直してください。",
    "{0} and {1} have the same camera, '{2}'.": "{0} と {1} のカメラが同じです: 「{2}」。",
    "{0} has {1} x {2} pixels, but COLMAP saw it with {3} x {4}.": (
        "{0} は {1} x {2} ピクセルですが、COLMAP では {3} x {4} でした。"
    ),
    "{0} is too large: {1}": "{0} は大きすぎます: {1}",
    "{0} on Hugging Face, {1} MB, {2} ({3})": "Hugging Face の {0}、{1} MB、{2} ({3})",
    "commercial use allowed": "商用利用可",
    "no commercial use": "商用利用不可",
    "The DA3 scene is scaled unevenly or mirrored, so it cannot stand at the known cameras.": (
        "DA3 シーンのスケールが不均一か反転しているため、既知のカメラに合わせられません。"
    ),
    "Clear its scale, or make a new scene.": "スケールをクリアするか、新しいシーンを作成してください。",
    "The camera '{0}' cannot be used: {1}.": "カメラ「{0}」は使えません: {1}。",
    "it has a scale of zero": "スケールが 0 です",
    "it is sheared by the scale of its parents": "親のスケールによってゆがんでいます",
    "it is mirrored by a negative scale": "負のスケールで反転しています",
    "Added in red, with the reason: {0}.": "理由つきで赤く追加: {0}。",
    "In the list already: {0}.": "すでにリストにある写真: {0}。",
    "Left out until they are renamed, as their names are not UTF-8: {0}.": (
        "名前が UTF-8 ではないため、名前を変更するまで除外: {0}。"
    ),
    "Photos added: {0}.": "追加した写真: {0}。",
    (
        "All photos are taken from one place, so nothing in them tells how far things are and the depth is the "
        "network's guess. For depth that holds, walk between photos instead of turning."
    ): (
        "すべての写真が 1 "
        "か所から撮られているため、物までの距離を示すものがなく、深度はネットワークの推測です。正しい深度には、そ"
        "の場で向きを変えるのではなく、写真ごとに歩いて移動してください。"
    ),
    (
        "The camera hardly moved between these photos, so where it stood and how far things are is unsure. Walk "
        "further between photos."
    ): (
        "これらの写真の間でカメラがほとんど動いていないため、カメラの位置と物までの距離は不確かです。写真の間でも"
        "っと移動してください。"
    ),
    "Checking what kind of lens the photos show.": "写真のレンズの種類を確認しています。",
    "Choose cameras of these photos.": "これらの写真のカメラを選んでください。",
    "Choose the model that these photos belong to.": "これらの写真のモデルを選んでください。",
    "Give its camera too, or add photos between it and the others.": (
        "そのカメラも指定するか、他の写真との間の写真を追加してください。"
    ),
    "No camera is known for {0}, and features of the others do not place it.": (
        "{0} のカメラは不明で、他の写真の特徴点からも位置が決まりません。"
    ),
    "No camera was given for {0}; features of the other photos place it.": (
        "{0} のカメラは指定されていないため、他の写真の特徴点から位置を決めました。"
    ),
    "None of the photos has a known camera.": "既知のカメラを持つ写真がありません。",
    "The focal length in the EXIF data of {0}, {1} mm, does not fit the photos; {2} mm does.": (
        "{0} の EXIF データの焦点距離 {1} mm は写真に合わず、{2} mm が合います。"
    ),
    "The image {0}; pack it again": "画像{0}。パックし直してください",
    "The image is not a photo; only JPEG, PNG, WebP and TIFF are read": (
        "画像は写真ではありません。読み込めるのは JPEG、PNG、WebP、TIFF のみです"
    ),
    (
        "The lens seems to bend straight lines: undistort the photos first, in a photo editor or with its lens profile."
    ): ("レンズが直線を曲げているようです: 先に写真編集ソフトやレンズプロファイルで歪みを補正してください。"),
    "The photos seem to be cropped, each alike: give them uncropped, or cameras that are known.": (
        "写真がすべて同じように切り抜かれているようです: 切り抜いていない写真か、既知のカメラを使ってください。"
    ),
    ("The photos seem to be zoomed or cropped, each differently: give the original files, with their EXIF data."): (
        "写真がそれぞれ異なるズームか切り抜きになっているようです: EXIF データの付いた元のファイルを使ってください。"
    ),
    "The points of the COLMAP model cannot be read; features of the photos tell the depth instead.": (
        "COLMAP モデルの点を読み込めません。代わりに写真の特徴点から深度を決めます。"
    ),
    "The same file is given twice": "同じファイルが 2 回指定されています",
    "There are several cameras for {0}: {1}.": "{0} のカメラが複数あります: {1}。",
    (
        "These cameras may be wrong by degrees, and their focal lengths by a tenth or more: features fit to {0} "
        "pixels, but to {1} with another kind of camera."
    ): (
        "これらのカメラは数度、焦点距離は 1 割以上誤っている可能性があります: 特徴点のずれは {0} "
        "ピクセルですが、別の種類のカメラでは {1} になります。"
    ),
    "Use the photos that COLMAP saw, not cropped.": "COLMAP が見た写真を、切り抜かずに使ってください。",
    "Videos cannot be read; save frames of it as JPEGs": "動画は読み込めません。フレームを JPEG で保存してください",
    "It is left out.": "この写真は除外されます。",
    "{0} ends too early": "{0} が途中で終わっています",
    "Close other programs, or allow the worker more memory.": (
        "ほかのプログラムを終了するか、ワーカーにもっとメモリを許可してください。"
    ),
    "Close other programs, scale the photo down or leave it out.": (
        "ほかのプログラムを終了するか、写真を縮小するか、除外してください。"
    ),
    "Make a smaller model of these photos, with COLMAP's 'image_deleter' or 'point_filtering'.": (
        "COLMAP の 'image_deleter' か 'point_filtering' で、これらの写真の小さいモデルを作ってください。"
    ),
    "Only {0} MB of memory are free for the worker; a small job needs {1}.": (
        "ワーカーに使える空きメモリは {0} MB だけです。小さいジョブでも {1} MB 必要です。"
    ),
    "Scale the photo down, or close other programs.": "写真を縮小するか、ほかのプログラムを終了してください。",
    "The COLMAP model in {0} has {1} GB; up to {2} are read.": (
        "{0} の COLMAP モデルは {1} GB あります。読み込めるのは {2} GB までです。"
    ),
    "The file claims {0} x {1} pixels, which it is too small to hold; copy it again": (
        "ファイルは {0} x {1} ピクセルと称していますが、そのためには小さすぎます。コピーし直してください"
    ),
    "The photo has {0} x {1} pixels, more than can be read; scale it down": (
        "写真は {0} x {1} ピクセルで、読み込める大きさを超えています。縮小してください"
    ),
    "There is not enough memory to read {0}.": "{0} を読み込むにはメモリが足りません。",
    "{0} claims {1} x {2} pixels, which its {3} bytes cannot hold.": (
        "{0} は {1} x {2} ピクセルと称していますが、{3} バイトには収まりません。"
    ),
    "{0} has {1} x {2} pixels. Reading it takes {3} GB of memory, and {4} GB are free.": (
        "{0} は {1} x {2} ピクセルです。読み込みには {3} GB のメモリが必要ですが、空きは {4} GB です。"
    ),
    "{0} has {1} x {2} pixels; {3} a side and {4} million in all are the most that can be read.": (
        "{0} は {1} x {2} ピクセルです。読み込めるのは一辺 {3}、全体で {4} 百万ピクセルまでです。"
    ),
    "{0} is damaged, or not COLMAP's, after {1} entries": (
        "{0} は {1} 項目の後で壊れているか、COLMAP のものではありません"
    ),
    "{0} lists number {1} twice": "{0} に番号 {1} が 2 回あります",
    "The geometry of {0} was edited by hand; that is kept, hidden, in {1}.": (
        "{0} の形状は手で編集されていたので、{1} に非表示で残しました。"
    ),
    "Nothing tells how large this is: its longest side was made {0} units. Set Distance changes it.": (
        "大きさを示すものがないため、最長辺を {0} 単位にしました。「距離を設定」で変えられます。"
    ),
    "It stands beside what was there already.": "すでにあるものの横に置きました。",
    "Looking at the package.": "パッケージを確認しています。",
    "Installing packages.": "パッケージをインストールしています。",
    "Blender does not allow online access, and packages have to be downloaded.": (
        "Blender のオンラインアクセスが許可されていないため、パッケージをダウンロードできません。"
    ),
    "Let its package be installed into it, which needs Python 3.11 or newer, or install the runtime instead.": (
        "パッケージをその Python (3.11 以降) にインストールするか、代わりにランタイムをインストールしてください。"
    ),
    "This DA3 scene is in another scene, too, inside a collection of yours.": (
        "この DA3 シーンは、あなたのコレクションの中で別のシーンにも入っています。"
    ),
    "Take it out of that collection first.": "先にそのコレクションから出してください。",
    "{0} cannot be used: {1}.": "{0} は使用できません: {1}。",
    "Copy the file again, or write it anew: it tells which network a checkpoint is for.": (
        "ファイルをもう一度コピーするか、書き直してください。どのネットワーク用のチェックポイントかを示すファイルです。"
    ),
    "it cannot be read ({0})": "読み込めません ({0})",
    "it has more than {0} MB": "{0} MB を超えています",
    "its text is damaged or in an old encoding; save it as UTF-8": (
        "テキストが壊れているか古い文字コードです。UTF-8 で保存してください"
    ),
    "it holds more than {0} values": "値が {0} 個を超えています",
    "it is not JSON (line {0}, column {1})": "JSON ではありません ({0} 行 {1} 列)",
    "its text holds half a letter (a lone surrogate)": "テキストに不完全な文字 (単独のサロゲート) があります",
    "its brackets are nested too deeply": "括弧の入れ子が深すぎます",
    "its line {0} says {1} where a number should be": "{0} 行目で数値の代わりに {1} とあります",
    "it holds a number that is too large ({0})": "大きすぎる数値があります ({0})",
    "it says '{0}' twice in one place": "同じ場所に '{0}' が 2 回あります",
    "The {0} of {1} names the resolution {2}, which cannot be used.": "{1} の {0} にある解像度 {2} は使用できません。",
    "It should be a number of pixels from {0} to {1}, or be left out.": (
        "{0} から {1} までのピクセル数にするか、省略してください。"
    ),
    "{0} is a folder, a link, a pipe or a device where a file should be": (
        "{0} はファイルではなく、フォルダー、リンク、パイプ、またはデバイスです"
    ),
    "{0} cannot be written: {1}.": "{0} を書き込めません: {1}。",
    "Remove it, or choose another folder for models.": "それを削除するか、モデル用に別のフォルダーを選んでください。",
    "its {0} has more than {1}": "{0} が {1} を超えています",
    "The address of the hub, or of a proxy, cannot be used.": "ハブまたはプロキシのアドレスを使用できません。",
    "Check the variables HF_ENDPOINT and HTTPS_PROXY: in a password, / is written %2F and @ is written %40.": (
        "変数 HF_ENDPOINT と HTTPS_PROXY を確認してください。パスワードの / は %2F、@ は %40 と書きます。"
    ),
    "Photos left out, as nothing usable is known of them: {count}": "使える情報がないため除外した写真: {count}",
    "Settings that cannot be used and stay as they are: {names}": "使用できないため変更しなかった設定: {names}",
    "What this scene was made with cannot be read; these are the photos of its cameras": (
        "このシーンの作成に使われた内容を読み込めません。これはカメラの写真です"
    ),
}
