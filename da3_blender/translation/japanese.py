"""What Blender shows of the add-on: labels, tooltips, names and choices, in Japanese."""

LABELS = {
    "Add Photos to DA3": "DA3 に写真を追加",
    "Choose photo files for the list": "リストに入れる写真ファイルを選択",
    "Add Folder": "フォルダーを追加",
    "Add all photos of a folder to the list": "フォルダー内のすべての写真をリストに追加",
    "Add Images of This File": "このファイルの画像を追加",
    "Add images that are already in this file to the list": "このファイルにすでにある画像をリストに追加",
    "Name of one image; all of them where this is empty": "画像の名前。空の場合はすべての画像",
    "Image": "画像",
    "File": "ファイル",
    "The photo's file": "写真のファイル",
    "Image in this file that is the photo": "写真として使うこのファイル内の画像",
    "Reference Photo": "参照写真",
    "The scene is made in the frame of this photo's camera": "この写真のカメラを基準にした座標系でシーンを作成",
    "Width": "幅",
    "Pixels of the upright photo": "正しい向きにした写真のピクセル数",
    "Height": "高さ",
    "Lens": "レンズ",
    "Focal length the camera noted, mm on 36 mm film": "カメラが記録した焦点距離（36 mm フィルム換算、mm）",
    "Problem": "問題",
    "Why this photo cannot be used": "この写真が使えない理由",
    "Remove Photo": "写真を削除",
    "Take the chosen photo out of the list; its file stays": "選択した写真をリストから外す（ファイルは残る）",
    "Remove All Photos": "すべての写真を削除",
    "Take all photos out of the list; their files stay": "すべての写真をリストから外す（ファイルは残る）",
    "Move Photo": "写真を移動",
    "Move the chosen photo up or down in the list": "選択した写真をリスト内で上下に移動",
    "Step": "ステップ",
    "Places to move on; negative moves up": "移動する行数。負の値で上へ移動",
    "Use as Reference Photo": "参照写真として使用",
    "Make the scene in the frame of the chosen photo's camera; again to leave the choice to the model": (
        "選択した写真のカメラを基準にシーンを作成。もう一度押すとモデルに任せる"
    ),
    "Check Photos Again": "写真を再確認",
    "Look at the files of all photos again": "すべての写真のファイルを調べ直す",
    "Choose Model": "モデルを選択",
    "Use this model for the scene": "このモデルをシーンに使用",
    "Model": "モデル",
    "Name": "名前",
    "Points": "ポイント",
    "Splats": "スプラット",
    "Mesh": "メッシュ",
    "Photos": "写真",
    "The photos to make a scene from": "シーンの元になる写真",
    "Active Photo": "アクティブ写真",
    "The photo chosen in the list": "リストで選択中の写真",
    "Active Camera": "アクティブカメラ",
    "The camera chosen in the list of a result": "結果のリストで選択中のカメラ",
    "Name of the collection to make; the photos' folder gives it where this is empty": (
        "作成するコレクションの名前。空の場合は写真のフォルダー名"
    ),
    "Which model looks at the photos": "写真を解析するモデル",
    "Own Checkpoint": "独自のチェックポイント",
    "A checkpoint of your own in the released format, instead of a model of the list": (
        "リストのモデルの代わりに使う、公開形式の独自のチェックポイント"
    ),
    "Only Commercially Usable": "商用利用可のみ",
    "List only models whose results may be sold": "結果を販売できるモデルだけを表示",
    "Cameras": "カメラ",
    "Where the cameras come from": "カメラの求め方",
    "Features of the photos where they place most of them, else the network": (
        "大部分の写真を配置できれば写真の特徴点、できなければネットワーク"
    ),
    "Network": "ネットワーク",
    "The cameras that the network says directly": "ネットワークが直接推定したカメラ",
    "Rays": "レイ",
    "Solved from the network's ray maps: slower, sometimes better": (
        "ネットワークのレイマップから計算。遅いが、より良い場合がある"
    ),
    "Features": "特徴点",
    "Solved from points that are found again in several photos, as photogrammetry does": (
        "フォトグラメトリーのように、複数の写真で見つかる点から計算"
    ),
    "Known": "既知",
    "Cameras that are known already": "すでにわかっているカメラ",
    "Refine Cameras": "カメラを改善",
    "Make the network's cameras agree with points found again in several photos, where that helps": (
        "効果がある場合、ネットワークのカメラを複数の写真で見つかる点に合わせる"
    ),
    "Make a colored point cloud": "色付きのポイントクラウドを作成",
    "Make Gaussian splats, which look like the photos from nearby views": (
        "近い視点から写真のように見えるガウシアンスプラットを作成"
    ),
    "Which mesh to make": "作成するメッシュの種類",
    "None": "なし",
    "Make no mesh": "メッシュを作成しない",
    "One Surface": "単一サーフェス",
    "One clean surface from all photos, with the photos as its texture": (
        "すべての写真から、写真をテクスチャにしたきれいな 1 つの面を作成"
    ),
    "Sheet per Photo": "写真ごとのシート",
    "One surface per photo, with the photo at its full resolution": "写真ごとに、元の解像度の写真を貼った面を作成",
    "Set Detail": "ディテールを指定",
    "Choose the detail yourself; otherwise the model works as it does best": (
        "ディテールを自分で指定。指定しない場合はモデルに最適な値"
    ),
    "Detail": "ディテール",
    "Longest side in pixels at which the model sees the photos: more is slower and needs memory": (
        "モデルが見る写真の長辺（ピクセル）。大きいほど遅く、メモリを使う"
    ),
    "Hide Unsure": "不確かな点を隠す",
    "Share of the points that is hidden at first, the least sure ones; changed any time later": (
        "最初に隠す、最も不確かな点の割合。後からいつでも変更可能"
    ),
    "Edge Filter": "エッジフィルター",
    "Leaves out points between a near and a far thing, where the surface is seen flatter than this many "
    "degrees; 0 keeps all": "手前と奥の物の間にできる、面がこの角度（度）より浅く見える点を除く。0 ですべて残す",
    "Upright": "垂直をそろえる",
    "Turn the scene so that up is up": "上が上になるようにシーンを回転",
    "On the Floor": "床に合わせる",
    "Move the floor to height zero and the middle to the origin": "床を高さ 0 に、中心を原点に移動",
    "Colors as in the Photos": "写真どおりの色",
    "Set the scene's view transform to Standard, so that photo colors render as they are": (
        "シーンのビュー変換を「標準」にし、写真の色をそのままレンダリング"
    ),
    "Name of the model, as the list has it": "リストにあるモデルの名前",
    "Remove Model": "モデルを削除",
    "Delete this model's files from the disk": "このモデルのファイルをディスクから削除",
    "Download Model": "モデルをダウンロード",
    "Download this model, or go on with a download that stopped; asks for its license where that is not open": (
        "このモデルをダウンロード、または中断したダウンロードを再開。自由なライセンスでない場合は同意を求める"
    ),
    "I Accept This License": "このライセンスに同意する",
    "The model is only used as this license allows": "モデルをこのライセンスが許す範囲でのみ使用",
    "Cancel Download": "ダウンロードをキャンセル",
    "Stop the download; what came stays, and the next one goes on from there": (
        "ダウンロードを停止。受信済みの分は残り、次回はそこから再開"
    ),
    "Refresh Models": "モデルを更新",
    "Look again which models are here; a remote worker is asked": (
        "どのモデルがあるかを調べ直す。リモートワーカーには問い合わせる"
    ),
    "Dismiss": "閉じる",
    "Close this message": "このメッセージを閉じる",
    "Make Scene": "シーンを作成",
    "Make a scene from the photos; Blender stays usable meanwhile": "写真からシーンを作成。その間も Blender を操作可能",
    "Cancel": "キャンセル",
    "Stop the installation; what was installed before stays": "インストールを停止。以前にインストールしたものは残る",
    "Stop making the scene": "シーンの作成を停止",
    "Place Here": "ここに配置",
    "Put the finished scene into the scene that is open now": "完成したシーンを現在開いているシーンに配置",
    "Discard": "破棄",
    "Throw the finished scene away": "完成したシーンを破棄",
    "Copy Report": "レポートをコピー",
    "Copy what went wrong, with its log, to the clipboard": "問題の内容をログとともにクリップボードにコピー",
    "Copy what went wrong, with the worker's log, to the clipboard": (
        "問題の内容をワーカーのログとともにクリップボードにコピー"
    ),
    "Photos as 3D Scene": "写真を 3D シーンとして",
    "Choose photos and make a scene from them": "写真を選択してシーンを作成",
    "Replace List": "リストを置き換え",
    "Take the photos of the list out before": "先にリストの写真を外す",
    "Start at once, with the settings of the panel": "パネルの設定ですぐに開始",
    "Name of the scene; the folder's by default": "シーンの名前。既定ではフォルダー名",
    "Look Through Photo": "写真の視点で見る",
    "Name of the camera object": "カメラオブジェクトの名前",
    "Camera": "カメラ",
    "Show or Hide Part": "部分を表示/隠す",
    "Part": "部分",
    "Sheet": "シート",
    "Show or Hide Photo": "写真を表示/隠す",
    "Show or hide what comes from this photo: its camera, points, splats and sheet. With Only, hide all the "
    "others": "この写真に由来するカメラ、ポイント、スプラット、シートを表示/隠す。「のみ」では他をすべて隠す",
    "Photo": "写真",
    "Name of the photo; all of them where this is empty": "写真の名前。空の場合はすべての写真",
    "Only": "のみ",
    "Show this photo and hide all others": "この写真を表示し、他をすべて隠す",
    "Result": "結果",
    "Set Floor": "床を設定",
    "Click on three points of the floor; the DA3 scene is turned and moved so that they lie at height zero": (
        "床の 3 点をクリック。それらが高さ 0 になるように DA3 シーンを回転・移動"
    ),
    "Update": "更新",
    "Make this scene again with the photos and settings above. Its objects change in place and keep what you "
    "did to them; with an empty list it takes its own photos": (
        "上の写真と設定でこのシーンを作り直す。オブジェクトはその場で変わり、加えた変更は残る。リストが空なら元の"
        "写真を使用"
    ),
    "Load Photos and Settings": "写真と設定を読み込む",
    "Set the photos and settings above to those that this scene was made with": (
        "上の写真と設定を、このシーンの作成に使ったものに戻す"
    ),
    "Remove": "削除",
    "Remove this scene with everything that only it uses; your own objects inside it stay": (
        "このシーンと、このシーンだけが使うものをすべて削除。中にある自分のオブジェクトは残る"
    ),
    "Set Distance": "距離を設定",
    "Click on two points of the DA3 scene and type how far apart they are in reality; the whole scene is "
    "scaled": "DA3 シーンの 2 点をクリックして実際の距離を入力。シーン全体が拡大縮小される",
    "Scale the DA3 scene so that two of its points are this far apart": (
        "2 点がこの距離になるように DA3 シーンを拡大縮小"
    ),
    "How far apart the two points are in reality": "2 点間の実際の距離",
    "Turn and move the DA3 scene so that three of its points lie on the floor at height zero, the cameras "
    "above": "3 点が高さ 0 の床に乗り、カメラがその上になるように DA3 シーンを回転・移動",
    "Install Runtime": "ランタイムをインストール",
    "Download and install what computes the scenes, in a folder of its own": (
        "シーンを計算するプログラムをダウンロードし、専用のフォルダーにインストール"
    ),
    "Repair": "修復",
    "Download everything again": "すべてダウンロードし直す",
    "Remove Runtime": "ランタイムを削除",
    "Delete the runtime from the disk; models stay": "ランタイムをディスクから削除。モデルは残る",
    "Test Runtime": "ランタイムをテスト",
    "Start the worker once and tell what it runs on": "ワーカーを一度起動し、動作環境を表示",
    "Show Preferences": "プリファレンスを表示",
    "Show the add-on's preferences, where the runtime is installed and chosen": (
        "ランタイムのインストールと選択を行うアドオン設定を表示"
    ),
    "Lower Detail": "ディテールを下げる",
    "Let the model see the photos with three quarters of the detail, which takes about half of the memory": (
        "モデルが見る写真のディテールを 4 分の 3 に下げる。必要なメモリは約半分になる"
    ),
    "Make": "作成",
    "Details": "詳細",
    "DA3 Scenes": "DA3 シーン",
    "Photo List": "写真リスト",
    "Models": "モデル",
    "Automatic": "自動",
    "Runtime": "ランタイム",
    "Where the computing is done": "計算を行う場所",
    "Compute in an environment of its own, installed here": "ここにインストールした専用の環境で計算",
    "Existing Python": "既存の Python",
    "Compute in a Python of yours that has the worker's package": "ワーカーのパッケージを持つ手元の Python で計算",
    "Remote Worker": "リモートワーカー",
    "Compute on another machine, through a command such as ssh": "ssh などのコマンドを通じて別のマシンで計算",
    "PyTorch Build": "PyTorch のビルド",
    "Which build of PyTorch is installed": "インストールする PyTorch のビルド",
    "The build for this machine's GPU where its files can be verified, else the one for the CPU": (
        "ファイルを検証できる場合はこのマシンの GPU 用のビルド。できない場合は CPU 用"
    ),
    "GPU, Unverified": "GPU (未検証)",
    "The build that fits this machine's GPU, though no hash vouches for its files": (
        "このマシンの GPU に合うビルド。ただしファイルを保証するハッシュがない"
    ),
    "Not all of its files were checked by their hashes": "一部のファイルはハッシュで検証されていません",
    "CPU": "CPU",
    "The small build without a GPU": "GPU を使わない小さなビルド",
    "Package Index": "パッケージインデックス",
    "What the package index has, as with a mirror of your own": "独自のミラーなど、パッケージインデックスにあるもの",
    "Python": "Python",
    "A Python that has the worker's package": "ワーカーのパッケージを持つ Python",
    "Command": "コマンド",
    "Starts the worker on another machine, as in a terminal; it must not ask for a password": (
        "ターミナルと同じように別のマシンのワーカーを起動。パスワードを尋ねないこと"
    ),
    "Where downloaded models are kept; empty for .da3 in your home": (
        "ダウンロードしたモデルの保存先。空の場合はホームの .da3"
    ),
    "Photos for DA3": "DA3 用の写真",
    "Read License": "ライセンスを読む",
    "Model Page": "モデルのページ",
    "No photo was chosen": "写真が選択されていません",
    "This file has no images with a file or packed data": (
        "このファイルには、ファイルまたはパックデータを持つ画像がありません"
    ),
    "Photos that cannot be used: {count}": "使えない写真: {count}",
    "All photos can be used": "すべての写真が使えます",
    "The report is on the clipboard": "レポートをクリップボードにコピーしました",
    "Photos as 3D Scene (DA3)": "写真を 3D シーンとして (DA3)",
    "Detail is now {detail}": "ディテールは {detail} になりました",
    "First Point": "1 つ目の点",
    "Where the first point is": "1 つ目の点の位置",
    "Second Point": "2 つ目の点",
    "Where the second point is": "2 つ目の点の位置",
    "Where the first point of the floor is": "床の 1 つ目の点の位置",
    "Where the second point of the floor is": "床の 2 つ目の点の位置",
    "Third Point": "3 つ目の点",
    "Where the third point of the floor is": "床の 3 つ目の点の位置",
    "Object": "オブジェクト",
    "Object of the DA3 scene that the points are on; tells where the scene is if its objects have been moved "
    "apart": "点が乗っている DA3 シーンのオブジェクト。オブジェクトがばらばらに動かされた場合にシーンの位置を示す",
    "This DA3 scene is not in the file any more": "この DA3 シーンはもうファイル内にありません",
    "No point of a DA3 scene is shown here. Click on one": "ここに DA3 シーンの点はありません。点をクリック",
    "Click on the first of two points whose distance you know. Esc: cancel": (
        "距離がわかっている 2 点の 1 つ目をクリック。Esc: キャンセル"
    ),
    "Click on the second point. Esc: cancel": "2 つ目の点をクリック。Esc: キャンセル",
    "Click on the first of three points of the floor. Esc: cancel": "床の 3 点の 1 つ目をクリック。Esc: キャンセル",
    "Click on a second point of the floor, far from the first. Esc: cancel": (
        "1 つ目から離れた床の 2 つ目の点をクリック。Esc: キャンセル"
    ),
    "Click on a third point of the floor, beside the line between the two. Esc: cancel": (
        "2 点を結ぶ線から外れた床の 3 つ目の点をクリック。Esc: キャンセル"
    ),
    "The camera '{name}' is not in this scene": "カメラ「{name}」はこのシーンにありません",
    "License {license}: commercial use allowed": "ライセンス {license}: 商用利用可",
    "License {license}: no commercial use": "ライセンス {license}: 商用利用不可",
    "License {license}: whether commercial use is allowed is not told": "ライセンス {license}: 商用利用の可否は不明",
    "{size} on disk, about {memory} of memory": "ディスク {size}、メモリ約 {memory}",
    "Single photos only": "1 枚ずつの写真のみ",
    "Results in meters": "結果はメートル単位",
    "No model has this name": "この名前のモデルはありません",
    "Ready": "準備完了",
    "Resume Download ({here} of {size})": "ダウンロードを再開 ({here} / {size})",
    "Download ({size})": "ダウンロード ({size})",
    "Accept License": "ライセンスに同意",
    "Scene": "シーン",
    "Add Photos": "写真を追加",
    "Reference": "参照",
    "This file has no images": "このファイルには画像がありません",
    "All Images": "すべての画像",
    "Two or more photos of one place work best": "同じ場所の写真が 2 枚以上あると効果的",
    "Refined": "改善済み",
    "Sheets": "シート",
    "Cameras: {source}": "カメラ: {source}",
    "Cameras: {source}, match error {error} pixels": "カメラ: {source}、一致誤差 {error} ピクセル",
    "Unknown": "不明",
    "Model: {model}": "モデル: {model}",
    "Confidence": "信頼度",
    "Point Size": "ポイントサイズ",
    "Shown": "表示",
    "Splats Shown": "表示するスプラット",
    "Splat Size": "スプラットサイズ",
    "Show All Photos": "すべての写真を表示",
    "In meters": "メートル単位",
    "In units of its own, not meters": "独自の単位（メートルではない）",
    "Show Colors": "色を表示",
    "Make Scene from {usable} of {count} Photos": "{count} 枚中 {usable} 枚の写真からシーンを作成",
    "{minutes} min left": "残り {minutes} 分",
    "{seconds} s left": "残り {seconds} 秒",
    "Making '{name}'": "「{name}」を作成中",
    "Resume Installation": "インストールを再開",
    "Testing...": "テスト中...",
    "Test": "テスト",
    "Looking at the runtime...": "ランタイムを確認中...",
    "Upgrade Runtime": "ランタイムをアップグレード",
    "Installed: version {version}, {size} GB, torch {torch} on {device}, Python {python}": (
        "インストール済み: バージョン {version}、{size} GB、torch {torch} ({device})、Python {python}"
    ),
    "Needs {needed} GB while it is installed; {free} GB are free": (
        "インストール中に {needed} GB 必要（空き {free} GB）"
    ),
    "The add-on comes with another version; the runtime should be upgraded": (
        "アドオンのバージョンと異なるため、ランタイムのアップグレードが必要です"
    ),
    "Not installed": "未インストール",
    "Allow Online Access": "オンラインアクセスを許可",
    "Repair Runtime": "ランタイムを修復",
    "Scale set by you: {distance} between two points": "手動で設定したスケール: 2 点間 {distance}",
    "Device: {0} ({1})": "デバイス: {0} ({1})",
    "Memory: {0}": "メモリ: {0}",
    "Worker {0}, protocol {1}": "ワーカー {0}、プロトコル {1}",
    "Models ready: {0}": "使用可能なモデル: {0}",
    "Started in {0} s": "起動時間 {0} 秒",
    "Animated objects keep their keyframes, which were made for the scene before": (
        "アニメーションするオブジェクトのキーフレームは、以前のシーンのまま残ります"
    ),
    "Blender Cameras": "Blender のカメラ",
    "COLMAP Folder": "COLMAP フォルダー",
    "Cameras of a COLMAP model, such as its folder sparse/0": "COLMAP モデルのカメラ（フォルダー sparse/0 など）",
    "Cameras of this scene; what is made stands where they stand": "このシーンのカメラ。その位置に合わせて作成",
    "Every photo has a camera": "すべての写真にカメラがあります",
    "Find the camera of every photo that has none yet: the one with the photo behind it, or with the photo's "
    "name": "カメラのない写真に、その写真を背景に持つカメラ、または同じ名前のカメラを割り当て",
    "Folder with the cameras and images of a COLMAP model of these photos, undistorted": (
        "これらの写真の、歪みのない COLMAP モデルのカメラと画像があるフォルダー"
    ),
    "Known Cameras": "既知のカメラ",
    "Match Cameras to Photos": "カメラを写真に割り当て",
    "Photos without a camera: {names}": "カメラのない写真: {names}",
    "The camera of this scene that the photo was taken with": "この写真を撮影した、このシーンのカメラ",
    "Where the known cameras are": "既知のカメラがある場所",
    "More to do with the list of photos": "写真リストのその他の操作",
    "Add all images of this file to the list, or one of them": "このファイルのすべての画像、または 1 枚をリストに追加",
    "Show Result": "結果を表示",
    "Go to the finished scene and look through its first photo": ("完成したシーンに移り、最初の写真のカメラから見ます"),
    "Look through this photo's camera, at the photo's size, for as long as you look. Photos that are "
    "bound to the timeline go to their frame": (
        "見ている間だけ、この写真のカメラと写真のサイズで見ます。タイムラインに割り当てた写真はそのフレームに移動します"
    ),
    "What tells a DA3 scene from others": "DA3 シーンを区別するもの",
    "Show or hide this part of the DA3 scene, in viewports and renders": (
        "DA3 シーンのこの部分をビューポートとレンダーで表示または非表示にします"
    ),
    "Back to Own Camera": "元のカメラに戻す",
    "Give the scene its own camera and size again, after a photo was looked through": (
        "写真から見た後に、シーン自身のカメラとサイズを元に戻します"
    ),
    "Bind Photos to Timeline": "写真をタイムラインに割り当て",
    "Give every photo a frame of the timeline, with its camera and size; they own the scene's camera and "
    "render size until this is switched off, which gives back what was there": (
        "写真ごとにタイムラインの 1 フレームをカメラとサイズ付きで割り当てます。オフにするまでシーンのカメラ"
        "とレンダーサイズは写真のものになり、オフにすると元に戻ります"
    ),
    "Bind": "割り当て",
    "Bind them, or take them off the timeline": "割り当てる、またはタイムラインから外します",
    "Real Distance": "実際の距離",
    "Own Environment": "専用環境",
    "{count} cameras": "カメラ {count}",
    "{count} points": "点 {count}",
    "{count} splats": "スプラット {count}",
    "{count} triangles": "三角形 {count}",
    "Scene ready: {counts}": "シーン完成: {counts}",
    "Scene updated: {counts}": "シーン更新完了: {counts}",
    "Update replaces the geometry; what you edited is kept beside it, hidden": (
        "更新は形状を置き換えます。編集したものは非表示で横に残ります"
    ),
    "Edited by hand: {names}": "手で編集: {names}",
    "Now {distance} units, of no known length": "現在 {distance} 単位 (長さは不明)",
    "Predicts splats itself": "スプラットを自ら予測",
    "Objects": "オブジェクト",
    "None of the photos can be used": "使える写真がありません",
    "Add photos first": "先に写真を追加してください",
    "Show": "表示",
    "Guide": "ガイド",
    "Open the guide, which explains every setting and message": ("すべての設定とメッセージを説明するガイドを開きます"),
    "Install in This Python": "この Python にインストール",
    "Download and install what computes the scenes into the chosen Python, by its own pip": (
        "シーンを計算するものをダウンロードし、選んだ Python の pip でインストールします"
    ),
    "Own Camera": "元のカメラ",
}
