"""What happens, what goes wrong, and what to do about it, in German."""

SENTENCES = {
    "The add-on failed in a way it does not know: {0}: {1}.": (
        "Das Add-on ist auf unbekannte Weise gescheitert: {0}: {1}."
    ),
    "Please report this with the log.": "Bitte mit dem Protokoll melden.",
    "Reading the photos.": "Die Fotos werden gelesen.",
    "The scene '{0}' is still being made.": "Die Szene '{0}' wird noch erstellt.",
    "Wait for it, or cancel it.": "Warten oder abbrechen.",
    "Place or discard it first.": "Zuerst platzieren oder verwerfen.",
    "'{0}' is ready.": "'{0}' ist fertig.",
    "No finished scene waits to be placed.": "Keine fertige Szene wartet auf das Platzieren.",
    "It was started in another file.": "Sie wurde in einer anderen Datei begonnen.",
    "It could not be placed.": "Sie konnte nicht platziert werden.",
    "Making the scene.": "Die Szene wird erstellt.",
    "Starting the worker.": "Der Worker wird gestartet.",
    "None of the photos can be used.": "Keines der Fotos ist verwendbar.",
    "There are no photos yet.": "Es sind noch keine Fotos da.",
    "Add photos; two or more of the same place work best.": (
        "Fotos hinzufügen; am besten zwei oder mehr desselben Ortes."
    ),
    "The DA3 scene to update is not there any more.": "Die zu aktualisierende DA3-Szene ist nicht mehr da.",
    "Make a new one.": "Eine neue erstellen.",
    "None of the photos in the list belongs to this DA3 scene.": (
        "Keines der Fotos in der Liste gehört zu dieser DA3-Szene."
    ),
    "Load its own photos first.": "Zuerst ihre eigenen Fotos laden.",
    "{0} cannot be read: {1}.": "{0} kann nicht gelesen werden: {1}.",
    "Check the file, or remove the photo.": "Die Datei prüfen oder das Foto entfernen.",
    "{0} is not here yet ({1}).": "{0} ist noch nicht da ({1}).",
    "The license of {0}, {1}, has not been accepted yet.": "Die Lizenz von {0}, {1}, wurde noch nicht akzeptiert.",
    "Download it in the Model panel, or choose another model.": (
        "Im Panel Modell herunterladen oder ein anderes Modell wählen."
    ),
    "Accept it in the Model panel, or choose another model.": (
        "Im Panel Modell akzeptieren oder ein anderes Modell wählen."
    ),
    "This folder holds no {0}": "Dieser Ordner enthält kein {0}",
    "There is no such file or folder": "Diese Datei oder diesen Ordner gibt es nicht",
    "Only safetensors files are opened; others could run any program": (
        "Nur safetensors-Dateien werden geöffnet; andere könnten beliebige Programme ausführen"
    ),
    "Blender's online access is off, so nothing is downloaded.": (
        "Blenders Onlinezugriff ist aus, daher wird nichts heruntergeladen."
    ),
    "{0} comes under {1}, which has not been accepted.": "{0} steht unter {1}, was noch nicht akzeptiert wurde.",
    "Its {0} cannot be read": "Seine {0} kann nicht gelesen werden",
    "Allow it in Preferences > System > Network.": "Unter Einstellungen > System > Netzwerk erlauben.",
    "Another download is running.": "Ein anderer Download läuft.",
    "Accept it, or choose a model under Apache-2.0.": "Akzeptieren oder ein Modell unter Apache-2.0 wählen.",
    "A download is running.": "Ein Download läuft.",
    "The download was cancelled.": "Der Download wurde abgebrochen.",
    "The folder of models cannot be looked at: {0}.": "Der Modellordner kann nicht angesehen werden: {0}.",
    "Choose another folder for models.": "Einen anderen Ordner für Modelle wählen.",
    "is damaged": "ist beschädigt",
    "ends too early": "endet zu früh",
    "RAW photos cannot be read; develop it to a JPEG or TIFF": (
        "RAW-Fotos können nicht gelesen werden; zu JPEG oder TIFF entwickeln"
    ),
    "{0} photos cannot be read; export it as a JPEG": "{0}-Fotos können nicht gelesen werden; als JPEG exportieren",
    "{0} pictures cannot be read; save it as a JPEG or PNG": (
        "{0}-Bilder können nicht gelesen werden; als JPEG oder PNG speichern"
    ),
    "The folder {0} holds no photos": "Der Ordner {0} enthält keine Fotos",
    "No photo is chosen": "Kein Foto ist ausgewählt",
    "This is a folder, not a photo": "Das ist ein Ordner, kein Foto",
    "The file is empty; copy it again": "Die Datei ist leer; neu kopieren",
    "The folder cannot be read: {0}": "Der Ordner kann nicht gelesen werden: {0}",
    "This is a pipe or a device, not a photo": "Das ist eine Pipe oder ein Gerät, kein Foto",
    "This is a preview that this program made": "Das ist eine Vorschau, die dieses Programm gemacht hat",
    "This is a link to a file that is not there; copy the photo itself to its place": (
        "Das ist ein Link auf eine Datei, die nicht da ist; das Foto selbst an seine Stelle kopieren"
    ),
    "The name of the file or of a folder around it is not UTF-8; rename it": (
        "Der Name der Datei oder eines Ordners darum ist nicht UTF-8; umbenennen"
    ),
    "This image is not in the file any more": "Dieses Bild ist nicht mehr in der Datei",
    "This image is not packed into the file any more": "Dieses Bild ist nicht mehr in die Datei gepackt",
    "The file is not there any more": "Die Datei ist nicht mehr da",
    "The file cannot be read: {0}": "Die Datei kann nicht gelesen werden: {0}",
    "The file {0}; copy it again": "Die Datei {0}; neu kopieren",
    "The file is not a photo; only JPEG, PNG, WebP and TIFF are read": (
        "Die Datei ist kein Foto; nur JPEG, PNG, WebP und TIFF werden gelesen"
    ),
    "Its scene '{0}' is not there any more.": "Ihre Szene '{0}' ist nicht mehr da.",
    "The DA3 scene that it should update is not there any more.": (
        "Die DA3-Szene, die sie aktualisieren sollte, ist nicht mehr da."
    ),
    "The scene is ready and waits for the render to end.": "Die Szene ist fertig und wartet auf das Ende des Renderns.",
    "The scene is ready and waits until you have finished what you are doing.": (
        "Die Szene ist fertig und wartet, bis die laufende Aktion beendet ist."
    ),
    "The worker has another version than the add-on.": "Der Worker hat eine andere Version als das Add-on.",
    "Install the same version of the worker's package there.": "Dort dieselbe Version des Worker-Pakets installieren.",
    "The installed runtime does not start.": "Die installierte Laufzeitumgebung startet nicht.",
    "Repair it.": "Sie reparieren.",
    "{python} is not a Python that has model_runtime.": "{python} ist kein Python, das model_runtime hat.",
    "The remote machine cannot be reached, or the connection to it broke.": (
        "Der entfernte Rechner ist nicht erreichbar, oder die Verbindung zu ihm brach ab."
    ),
    "The log tells why. Try the command in a terminal; it must log in without asking for a password.": (
        "Das Protokoll sagt warum. Den Befehl in einem Terminal versuchen; er muss sich ohne Passwortabfrage anmelden."
    ),
    "The worker's program was not found.": "Das Programm des Workers wurde nicht gefunden.",
    "Install the worker's package on the other machine, and give the full path of da3-runtime in the command.": (
        "Das Paket des Workers auf dem anderen Rechner installieren und im Befehl den vollen Pfad von da3-runtime "
        "angeben."
    ),
    "The worker has version {0}, the add-on {1}.": "Der Worker hat Version {0}, das Add-on {1}.",
    "Install the runtime again, or the same version on the worker's machine.": (
        "Die Laufzeitumgebung erneut installieren oder dieselbe Version auf dem Rechner des Workers."
    ),
    "This machine has an NVIDIA GPU, but the worker's torch is the CPU build.": (
        "Dieser Rechner hat eine NVIDIA-GPU, aber das torch des Workers ist die CPU-Ausgabe."
    ),
    "Install the runtime again with torch for this machine's GPU.": (
        "Die Laufzeitumgebung erneut mit torch für die GPU dieses Rechners installieren."
    ),
    "torch {0} cannot use this machine's NVIDIA GPU, so jobs run on the CPU.": (
        "torch {0} kann die NVIDIA-GPU dieses Rechners nicht nutzen, daher laufen Aufträge auf der CPU."
    ),
    "Update the NVIDIA driver, then repair the runtime.": (
        "Den NVIDIA-Treiber aktualisieren, dann die Laufzeitumgebung reparieren."
    ),
    "Install the extension again.": "Die Erweiterung erneut installieren.",
    "The last installation was interrupted.": "Die letzte Installation wurde unterbrochen.",
    "Install again: finished downloads are kept.": "Erneut installieren: fertige Downloads bleiben erhalten.",
    "The extension does not hold the worker's package.": "Die Erweiterung enthält das Paket des Workers nicht.",
    "{0} cannot be removed.": "{0} kann nicht entfernt werden.",
    "Close other Blenders and try again.": "Andere Blender schließen und erneut versuchen.",
    "Another Blender is installing the runtime.": "Ein anderes Blender installiert gerade die Laufzeitumgebung.",
    "Wait for it to end, or stop it there.": "Das Ende abwarten oder dort anhalten.",
    "Starting.": "Start.",
    "Looking at the disk and the package.": "Datenträger und Paket werden angesehen.",
    "Putting the runtime into place.": "Die Laufzeitumgebung wird an ihren Platz gebracht.",
    "Looking for uv, the installer.": "uv, das Installationsprogramm, wird gesucht.",
    "uv, the program that installs the runtime, does not start.": (
        "uv, das Programm, das die Laufzeitumgebung installiert, startet nicht."
    ),
    "Install uv and try again.": "uv installieren und erneut versuchen.",
    "Fetching Python.": "Python wird geholt.",
    "Choosing packages for this machine.": "Pakete für diesen Rechner werden gewählt.",
    "Starting the worker for the first time.": "Der Worker wird zum ersten Mal gestartet.",
    "The installation was cancelled.": "Die Installation wurde abgebrochen.",
    "What was installed before is still in place.": "Was vorher installiert war, ist noch da.",
    "Check that the folder can be written to.": "Prüfen, ob in den Ordner geschrieben werden kann.",
    "The installation failed in a way it does not know: {0}: {1}.": (
        "Die Installation ist auf unbekannte Weise gescheitert: {0}: {1}."
    ),
    "Blender does not allow online access, and the runtime has to be downloaded.": (
        "Blender erlaubt keinen Onlinezugriff, und die Laufzeitumgebung muss heruntergeladen werden."
    ),
    "Allow it in Preferences > System > Network, or use an existing Python.": (
        "Unter Einstellungen > System > Netzwerk erlauben oder ein vorhandenes Python verwenden."
    ),
    "The runtime needs {0} GB of disk space, and {1} GB are free.": (
        "Die Laufzeitumgebung braucht {0} GB Speicherplatz, und {1} GB sind frei."
    ),
    "Free some space on the disk of {0}.": "Auf dem Datenträger von {0} Platz schaffen.",
    "Fetching uv, the installer.": "uv, das Installationsprogramm, wird geholt.",
    "Choosing PyTorch, unverified.": "PyTorch wird ausgewählt, ungeprüft.",
    "PyTorch will be installed unverified: the add-on knows no hashes of this build, so only the connection to "
    "download.pytorch.org vouches for it. All other packages are checked.": (
        "PyTorch wird ungeprüft installiert: Das Add-on kennt keine Hashes dieser Ausgabe, daher bürgt nur die "
        "Verbindung zu download.pytorch.org dafür. Alle anderen Pakete werden geprüft."
    ),
    "This build computes on the CPU. For this machine's GPU the add-on has no build that it can verify; "
    "PyTorch Build > GPU, Unverified installs one all the same.": (
        "Diese Ausgabe rechnet auf der CPU. Für die GPU dieses Rechners hat das Add-on keine Ausgabe, die es prüfen "
        "kann; PyTorch-Ausgabe > GPU, ungeprüft installiert trotzdem eine."
    ),
    "A file has not the hash that the add-on knows, found while {0}: nothing of it was installed.": (
        "Eine Datei hat nicht den Hash, den das Add-on kennt (beim {0}): Nichts davon wurde installiert."
    ),
    "Repair the runtime, which fetches everything anew. If this comes again, a proxy, a mirror or somebody else "
    "changes files; the log names the package.": (
        "Die Laufzeitumgebung reparieren, was alles neu holt. Kommt dies wieder, verändert ein Proxy, ein Spiegel "
        "oder jemand anderes Dateien; das Protokoll nennt das Paket."
    ),
    "The extension does not hold the hashes of the worker's packages: {0}.": (
        "Die Erweiterung enthält die Hashes der Pakete des Workers nicht: {0}."
    ),
    "{0} of the extension is damaged or missing.": "{0} der Erweiterung ist beschädigt oder fehlt.",
    "Blender's Python cannot make the small environment that uv is fetched into.": (
        "Blenders Python kann die kleine Umgebung nicht anlegen, in die uv geholt wird."
    ),
    "Install uv (docs.astral.sh/uv) and try again; on Debian, `apt install python3-venv` helps too.": (
        "uv (docs.astral.sh/uv) installieren und erneut versuchen; unter Debian hilft auch `apt install python3-venv`."
    ),
    "The new runtime does not start.": "Die neue Laufzeitumgebung startet nicht.",
    "The log tells why. The earlier runtime, if there was one, is still in place.": (
        "Das Protokoll sagt warum. Eine frühere Laufzeitumgebung, falls es eine gab, ist noch da."
    ),
    "The installation failed: {0}.": "Die Installation ist gescheitert: {0}.",
    "fetching uv": "Holen von uv",
    "Using this machine's Python.": "Das Python dieses Rechners wird verwendet.",
    "fetching Python": "Holen von Python",
    "installing packages": "Installieren der Pakete",
    "uv could neither fetch Python {0} nor find a Python {1} here.": (
        "uv konnte weder Python {0} holen noch hier ein Python {1} finden."
    ),
    "Install Python 3.12 from python.org and try again.": (
        "Python 3.12 von python.org installieren und erneut versuchen."
    ),
    "The disk became full.": "Der Datenträger wurde voll.",
    "The folder of the runtime cannot be used: {0}.": (
        "Der Ordner der Laufzeitumgebung kann nicht verwendet werden: {0}."
    ),
    "Check its permissions.": "Seine Berechtigungen prüfen.",
    "The distance is zero.": "Der Abstand ist null.",
    "Type the distance between the two points.": "Den Abstand zwischen den beiden Punkten eingeben.",
    "The two points are the same.": "Die beiden Punkte sind derselbe.",
    "Pick two points that lie well apart.": "Zwei Punkte wählen, die weit auseinanderliegen.",
    "With this distance the scene would become a million times larger or smaller.": (
        "Mit diesem Abstand würde die Szene eine Million Mal größer oder kleiner."
    ),
    "Check the distance and its unit.": "Den Abstand und seine Einheit prüfen.",
    "The three points are the same.": "Die drei Punkte sind derselbe.",
    "Pick three points of the floor that lie well apart.": "Drei Punkte des Bodens wählen, die weit auseinanderliegen.",
    "The three points lie on one line.": "Die drei Punkte liegen auf einer Linie.",
    "Pick three points of the floor that make a wide triangle.": (
        "Drei Punkte des Bodens wählen, die ein weites Dreieck bilden."
    ),
    "The scene's objects are scaled unevenly, so turning the scene would shear it.": (
        "Die Objekte der Szene sind ungleichmäßig skaliert, sodass Drehen die Szene scheren würde."
    ),
    "Scale them the same along x, y and z first, and their parents too.": (
        "Sie und ihre Eltern zuerst entlang x, y und z gleich skalieren."
    ),
    "This DA3 scene is linked from another file.": "Diese DA3-Szene ist aus einer anderen Datei verknüpft.",
    "Change it in its own file.": "In ihrer eigenen Datei ändern.",
    "A part of this DA3 scene is being edited.": "Ein Teil dieser DA3-Szene wird gerade bearbeitet.",
    "Go to Object Mode first.": "Zuerst in den Objektmodus wechseln.",
    "The scene has no objects any more.": "Die Szene hat keine Objekte mehr.",
    "Make it again from its photos.": "Aus ihren Fotos erneut erstellen.",
    "The scene's objects are scaled to nothing.": "Die Objekte der Szene sind auf nichts skaliert.",
    "Scale them up again first.": "Sie zuerst wieder größer skalieren.",
    "The scene kept its size; in meters, as the model sees it, it is {0} times as large.": (
        "Die Szene behielt ihre Größe; in Metern, wie das Modell sie sieht, ist sie {0}-mal so groß."
    ),
    "No point is left: every pixel is sky or lies on a depth edge.": (
        "Kein Punkt bleibt übrig: jedes Pixel ist Himmel oder liegt an einer Tiefenkante."
    ),
    "Lower the edge angle, or use other photos.": "Den Kantenfilter verringern oder andere Fotos verwenden.",
    "The scene has no name.": "Die Szene hat keinen Namen.",
    "Give it one.": "Ihr einen geben.",
    "{0} splats above the limit of {1} were left out.": "{0} Splats über der Grenze von {1} wurden weggelassen.",
    "{0} is not there any more; its camera has no photo behind it.": (
        "{0} ist nicht mehr da; seine Kamera hat kein Foto dahinter."
    ),
    "This DA3 scene does not tell which photos it was made from.": (
        "Diese DA3-Szene gibt nicht an, aus welchen Fotos sie erstellt wurde."
    ),
    "Add them to the list.": "Sie zur Liste hinzufügen.",
    "The installation failed while {0}.": "Die Installation ist gescheitert beim {0}.",
    "The log tells more. Try again.": "Das Protokoll sagt mehr. Erneut versuchen.",
    "Free some disk space and try again: finished downloads are kept.": (
        "Platz auf dem Datenträger schaffen und erneut versuchen: fertige Downloads bleiben erhalten."
    ),
    "Downloading {0} ({1} MiB); {2} files to go.": "{0} wird heruntergeladen ({1} MiB); noch {2} Dateien.",
    "The disk became full while {0}.": "Der Datenträger wurde voll beim {0}.",
    "The network failed while {0}.": "Das Netzwerk fiel aus beim {0}.",
    "Check the connection, a proxy or a firewall (pypi.org, github.com and download.pytorch.org are needed), "
    "and try again: finished downloads are kept.": (
        "Verbindung, Proxy oder Firewall prüfen (pypi.org, github.com und download.pytorch.org werden gebraucht) "
        "und erneut versuchen: fertige Downloads bleiben erhalten."
    ),
    "There is no build of torch for this machine's NVIDIA driver.": (
        "Für den NVIDIA-Treiber dieses Rechners gibt es keine Ausgabe von torch."
    ),
    "Update the driver and try again, or choose the CPU build of torch.": (
        "Den Treiber aktualisieren und erneut versuchen oder die CPU-Ausgabe von torch wählen."
    ),
    "A package that the runtime needs has no build for this machine.": (
        "Ein Paket, das die Laufzeitumgebung braucht, gibt es nicht für diesen Rechner."
    ),
    "Use a worker on another machine; the log names the package.": (
        "Einen Worker auf einem anderen Rechner verwenden; das Protokoll nennt das Paket."
    ),
    "Putting the packages into place.": "Die Pakete werden an ihren Platz gebracht.",
    "Write it as in a terminal, such as: ssh gpubox da3-runtime worker": (
        "Wie in einem Terminal schreiben, etwa: ssh gpubox da3-runtime worker"
    ),
    "The worker's command is empty.": "Der Befehl des Workers ist leer.",
    "The runtime, which computes the scenes, is not installed yet.": (
        "Die Laufzeitumgebung, die die Szenen berechnet, ist noch nicht installiert."
    ),
    "Install it in the add-on's preferences, or choose an existing Python or a remote worker there.": (
        "In den Einstellungen des Add-ons installieren oder dort ein vorhandenes Python oder einen entfernten "
        "Worker wählen."
    ),
    "There is no Python at '{0}'.": "Unter '{0}' gibt es kein Python.",
    "No Python is chosen.": "Es ist kein Python gewählt.",
    "Choose a Python that has model_runtime in the preferences.": (
        "In den Einstellungen ein Python wählen, das model_runtime hat."
    ),
    "The worker's command cannot be read: {0}.": "Der Befehl des Workers kann nicht gelesen werden: {0}.",
    "Its log tells more. The next job starts a new worker.": (
        "Sein Protokoll sagt mehr. Der nächste Auftrag startet einen neuen Worker."
    ),
    "The worker said nothing for {0} seconds.": "Der Worker hat {0} Sekunden lang nichts gesagt.",
    "The worker's machine has not enough memory.": "Die Maschine des Workers hat nicht genug Speicher.",
    "Lower the resolution, use fewer photos, or close other programs there.": (
        "Die Auflösung senken, weniger Fotos nehmen, oder andere Programme dort schließen."
    ),
    "The worker has given no sign of life for {0} seconds.": (
        "Der Worker hat seit {0} Sekunden kein Lebenszeichen gegeben."
    ),
    "The worker has stopped: nothing came from it for {0} seconds.": (
        "Der Worker ist stehen geblieben: {0} Sekunden lang kam nichts von ihm."
    ),
    "Check the connection and its machine. The next job starts a new worker.": (
        "Die Verbindung und seine Maschine prüfen. Der nächste Auftrag startet einen neuen Worker."
    ),
    "The worker sent {0}, which belongs to no job.": "Der Worker hat {0} gesendet, was zu keinem Auftrag gehört.",
    "The worker answered with {0} where {1} was due.": "Der Worker hat mit {0} geantwortet, wo {1} fällig war.",
    "A frame was begun, and nothing more of it came for {0} seconds.": (
        "Ein Rahmen wurde begonnen, und {0} Sekunden lang kam nichts mehr davon."
    ),
    "The worker ended before the job was done ({0}).": "Der Worker endete, bevor der Auftrag fertig war ({0}).",
    "it closed its output": "er schloss seine Ausgabe",
    "exit status {0}": "Exit-Status {0}",
    "The worker was stopped.": "Der Worker wurde angehalten.",
    "Try its command in a terminal: {0}": "Seinen Befehl in einem Terminal versuchen: {0}",
    "The worker speaks version {0} of the protocol, not {1}.": (
        "Der Worker spricht Version {0} des Protokolls, nicht {1}."
    ),
    "Install the same version of the add-on and of the worker's environment.": (
        "Add-on und Umgebung des Workers in derselben Version installieren."
    ),
    "The system may have run out of memory: lower the resolution or use fewer photos.": (
        "Dem System ist vielleicht der Speicher ausgegangen: die Auflösung verringern oder weniger Fotos verwenden."
    ),
    "The worker cannot be started: {0}: {1}.": "Der Worker kann nicht gestartet werden: {0}: {1}.",
    "The worker's answer cannot be read: {0}.": "Die Antwort des Workers kann nicht gelesen werden: {0}.",
    "Check the worker's Python or remote command.": "Das Python oder den Befehl des Workers prüfen.",
    "The job cannot be sent: {0}": "Der Auftrag kann nicht gesendet werden: {0}",
    "The given cameras miss the features that the photos share by {0} pixels. Check that they are those of "
    "these photos, in this order.": (
        "Die bekannten Kameras verfehlen die gemeinsamen Merkmale der Fotos um {0} Pixel. Prüfen, ob es die "
        "dieser Fotos in dieser Reihenfolge sind."
    ),
    "Features place {0} of the {1} photos, so the cameras are the network's. Photos that overlap more, "
    "show more texture and are taken from different places help.": (
        "Merkmale platzieren {0} der {1} Fotos, daher sind die Kameras die des Netzwerks. Fotos, die sich mehr "
        "überlappen, mehr Struktur zeigen und von verschiedenen Orten aufgenommen sind, helfen."
    ),
    "The photos' features did not make the cameras better; they are as the network found them.": (
        "Die Merkmale der Fotos haben die Kameras nicht verbessert; sie sind so, wie das Netzwerk sie fand."
    ),
    "Features do not place {0}, as where a photo shows nothing that the others do: where its camera stands is the "
    "network's guess and may be far off.": (
        "Merkmale platzieren {0} nicht, wie bei einem Foto, das nichts von dem zeigt, was die anderen zeigen: wo seine "
        "Kamera steht, schätzt das Netzwerk, vielleicht weit daneben."
    ),
    "The photos show all but the same, so nothing in them tells how far things are, nor the focal length: it is what "
    "the EXIF data say, or else a usual one. Take photos from different places.": (
        "Die Fotos zeigen fast dasselbe; nichts darin sagt, wie weit die Dinge entfernt sind, auch nicht die "
        "Brennweite: sie ist die der EXIF-Daten oder eine übliche. Fotos von verschiedenen Orten aufnehmen."
    ),
    "{0} of {1} pairs of photos match in another way than these cameras say, as where a pattern repeats: some cameras "
    "may stand in a wrong place. Look through them; photos closer together help.": (
        "{0} von {1} Fotopaaren passen anders zusammen, als diese Kameras sagen, wie bei einem Muster, das sich "
        "wiederholt: manche Kameras stehen vielleicht falsch. Durch sie hindurchsehen; dichtere Fotos helfen."
    ),
    "No point is left: the photos are transparent, or sky, all over.": (
        "Kein Punkt bleibt übrig: die Fotos sind überall durchsichtig oder Himmel."
    ),
    "Use photos that show something.": "Fotos verwenden, auf denen etwas zu sehen ist.",
    "The network's cameras were too far off to start from; features alone placed the photos.": (
        "Die Kameras des Netzwerks lagen als Anfang zu weit daneben; Merkmale allein haben die Fotos platziert."
    ),
    "Free for any use, also commercial; name the authors when you pass the model on.": (
        "Frei für jede Nutzung, auch kommerziell; bei Weitergabe des Modells die Autoren nennen."
    ),
    "Not for commercial use: nothing made with this model may be made for or used for payment or advantage in "
    "business. Name the authors when you share it.": (
        "Nicht für kommerzielle Nutzung: nichts, was mit diesem Modell entsteht, darf für Bezahlung oder "
        "geschäftlichen Vorteil gemacht oder genutzt werden. Bei Weitergabe die Autoren nennen."
    ),
    "Comes with the add-on: quick tries on any computer, with simple splats": (
        "Kommt mit dem Add-on: schnelle Versuche auf jedem Rechner, mit einfachen Splats"
    ),
    "Quick scenes on a laptop or without a graphics card": "Schnelle Szenen auf einem Laptop oder ohne Grafikkarte",
    "The best model of many photos that commercial work may use": (
        "Das beste Modell für viele Fotos, das kommerzielle Arbeit nutzen darf"
    ),
    "Good cameras and depth for a graphics card with 8 GB": "Gute Kameras und Tiefe für eine Grafikkarte mit 8 GB",
    "The best cameras, depth and splats, without a known scale": (
        "Die besten Kameras, Tiefe und Splats, ohne bekannten Maßstab"
    ),
    "The best cameras, depth and splats, in meters": "Die besten Kameras, Tiefe und Splats, in Metern",
    "Depth in meters from single photos; commercial use allowed": (
        "Tiefe in Metern aus einzelnen Fotos; kommerzielle Nutzung erlaubt"
    ),
    "Fine depth from single photos, without a known scale; commercial use allowed": (
        "Feine Tiefe aus einzelnen Fotos, ohne bekannten Maßstab; kommerzielle Nutzung erlaubt"
    ),
    "To repeat old results; Large 1.1 is better": "Um alte Ergebnisse zu wiederholen; Large 1.1 ist besser",
    "The same weights as Giant 1.1 under their first name": "Dieselben Gewichte wie Giant 1.1 unter ihrem ersten Namen",
    "To repeat old results; Nested 1.1 is better": "Um alte Ergebnisse zu wiederholen; Nested 1.1 ist besser",
    "{0} does not fit the preset {1}: {2}.": "{0} passt nicht zur Voreinstellung {1}: {2}.",
    "Check model_name in its config.json, or choose the checkpoint this file was made for.": (
        "model_name in seiner config.json prüfen oder den Checkpoint wählen, für den diese Datei gemacht wurde."
    ),
    "{0} is not a complete safetensors file: {1}.": "{0} ist keine vollständige safetensors-Datei: {1}.",
    "Copy or download the file again.": "Die Datei erneut kopieren oder herunterladen.",
    "{0} is not here yet: {1}.": "{0} ist noch nicht da: {1}.",
    "Download it in the model list, or put its {0} and {1} into {2}.": (
        "In der Modellliste herunterladen oder {0} und {1} nach {2} legen."
    ),
    "The folder {0} holds no {1}.": "Der Ordner {0} enthält kein {1}.",
    "A checkpoint is a folder with {0} and {1}.": "Ein Checkpoint ist ein Ordner mit {0} und {1}.",
    "{0} should come with the worker, but {1} is missing.": "{0} sollte mit dem Worker kommen, aber {1} fehlt.",
    "Install the worker again.": "Den Worker erneut installieren.",
    "{0} is a pickle file, which could run any program; it is not opened.": (
        "{0} ist eine pickle-Datei, die beliebige Programme ausführen könnte; sie wird nicht geöffnet."
    ),
    "Use the same weights as {0}.": "Dieselben Gewichte als {0} verwenden.",
    "The {0} beside {1} names {2}, so nobody knows which network the weights are for.": (
        "Die {0} neben {1} nennt {2}, daher weiß niemand, für welches Netzwerk die Gewichte sind."
    ),
    'It should read {{"model_name": "da3-small"}}, or another of {0}.': (
        'Darin sollte {{"model_name": "da3-small"}} stehen oder ein anderes von {0}.'
    ),
    "There is no checkpoint '{0}': no known name, and no file or folder the worker can see.": (
        "Es gibt keinen Checkpoint '{0}': kein bekannter Name und keine Datei und kein Ordner, den der Worker sieht."
    ),
    "Known names: {0}.": "Bekannte Namen: {0}.",
    "There is no device '{0}'.": "Es gibt kein Gerät '{0}'.",
    "Choose auto, cpu, mps, cuda or cuda:N.": "auto, cpu, mps, cuda oder cuda:N wählen.",
    "The worker's machine has no device '{0}' that torch {1} can use.": (
        "Der Rechner des Workers hat kein Gerät '{0}', das torch {1} nutzen kann."
    ),
    "Choose auto, or install the torch build for this device.": (
        "auto wählen oder die torch-Ausgabe für dieses Gerät installieren."
    ),
    "There is no precision '{0}'.": "Es gibt keine Genauigkeit '{0}'.",
    "Choose one of {0}.": "Eines von {0} wählen.",
    "Free some space, or choose a folder for models on another disk.": (
        "Platz schaffen oder einen Ordner für Modelle auf einem anderen Datenträger wählen."
    ),
    "Try again. If it stays so, a proxy or mirror changes files: use another connection.": (
        "Erneut versuchen. Bleibt es so, verändert ein Proxy oder Spiegelserver die Dateien: eine andere "
        "Verbindung nutzen."
    ),
    "Checking {0}.": "{0} wird geprüft.",
    "{0} was refused: {1}.": "{0} wurde abgelehnt: {1}.",
    "Downloading {0}: {1}.": "{0} wird heruntergeladen: {1}.",
    "{0} still needs {1} in {2}, but {3} are free there.": "{0} braucht noch {1} in {2}, aber dort sind {3} frei.",
    "Read {0} and accept it, or choose a model under {1}.": (
        "{0} lesen und akzeptieren oder ein Modell unter {1} wählen."
    ),
    "Asking for {0}.": "{0} wird angefragt.",
    "what arrived is not what was published; it was deleted": (
        "was ankam, ist nicht das Veröffentlichte; es wurde gelöscht"
    ),
    "the file on offer is another than the one this version of the add-on knows": (
        "die angebotene Datei ist eine andere als die, die diese Version des Add-ons kennt"
    ),
    "The hub publishes no SHA-256 of {0}, so nothing could be checked.": (
        "Der Hub veröffentlicht keinen SHA-256 von {0}, daher wäre nichts prüfbar."
    ),
    "A proxy or mirror may leave it out: try without it.": (
        "Ein Proxy oder Spiegelserver lässt ihn vielleicht weg: ohne ihn versuchen."
    ),
    "its {0} is not what was published": "seine {0} ist nicht die veröffentlichte",
    "Downloading {0}: {1}, {2} left.": "{0} wird heruntergeladen: {1}, noch {2}.",
    "{0} cannot be written to {1}: {2}.": "{0} kann nicht nach {1} geschrieben werden: {2}.",
    "{0} is being downloaded already, by another Blender or worker.": (
        "{0} wird schon von einem anderen Blender oder Worker heruntergeladen."
    ),
    "The connection broke off; trying again. {0}.": "Die Verbindung brach ab; neuer Versuch. {0}.",
    "Wait until it is here.": "Warten, bis es da ist.",
    "{0} are here.": "{0} sind da.",
    "Looking at what is here of {0}.": "Was von {0} schon da ist, wird angesehen.",
    "{0} does not fit in {1}.": "{0} passt nicht in {1}.",
    "Placing the photos by their features.": "Die Fotos werden nach ihren Merkmalen platziert.",
    "Looking for features in {0}.": "In {0} werden Merkmale gesucht.",
    "Matching {0} with {1}.": "{0} wird mit {1} abgeglichen.",
    "Refining the cameras by their features.": "Die Kameras werden nach ihren Merkmalen verfeinert.",
    "Cameras are world-to-camera, x right, y down, z forward, in pixels.": (
        "Kameras sind Welt-zu-Kamera, x rechts, y unten, z vorn, in Pixeln."
    ),
    "The request says its cameras are given, but gives none.": (
        "Der Auftrag sagt, seine Kameras seien bekannt, enthält aber keine."
    ),
    "Give them, or auto.": "Diese angeben oder auto.",
    "{0} photos need extrinsics [{1}, 4, 4] and intrinsics [{2}, 3, 3], not {3}.": (
        "{0} Fotos brauchen extrinsics [{1}, 4, 4] und intrinsics [{2}, 3, 3], nicht {3}."
    ),
    "The camera of {0} holds numbers that are too large or not finite.": (
        "Die Kamera von {0} enthält Zahlen, die zu groß oder nicht endlich sind."
    ),
    "The camera of {0} is not placed by a rotation and a translation.": (
        "Die Kamera von {0} ist nicht durch eine Drehung und eine Verschiebung platziert."
    ),
    "The intrinsics of {0} are not those of a pinhole camera.": (
        "Die intrinsics von {0} sind nicht die einer Lochkamera."
    ),
    "The camera of {0} has skew, which is not supported.": (
        "Die Kamera von {0} hat Scherung, die nicht unterstützt wird."
    ),
    "Calibrate it without skew: the second number of the intrinsics is then 0.": (
        "Sie ohne Scherung kalibrieren: die zweite Zahl der intrinsics ist dann 0."
    ),
    "{0} cannot hand out {1} at the moment (status {2}).": "{0} kann {1} im Augenblick nicht ausgeben (Status {2}).",
    "Download again: it goes on where it stopped.": "Erneut herunterladen: es geht dort weiter, wo es aufhörte.",
    "{0} cannot be reached ({1}).": "{0} ist nicht erreichbar ({1}).",
    "Agree to the terms at {0} and give the worker your token as HF_TOKEN.": (
        "Den Bedingungen unter {0} zustimmen und dem Worker das eigene Token als HF_TOKEN geben."
    ),
    "{0} has no such file: {1}.": "{0} hat diese Datei nicht: {1}.",
    "Check the token in HF_TOKEN, or remove it: the released models need none.": (
        "Das Token in HF_TOKEN prüfen oder entfernen: die veröffentlichten Modelle brauchen keines."
    ),
    "Try again in some minutes.": "In einigen Minuten erneut versuchen.",
    "{0} does not tell the commit, hash and size of {1} of {2}.": (
        "{0} nennt Commit, Hash und Größe von {1} von {2} nicht."
    ),
    "A proxy or mirror may leave them out: try without it, or put the files into the folder by hand.": (
        "Ein Proxy oder Spiegelserver lässt sie vielleicht weg: ohne ihn versuchen oder die Dateien von Hand in "
        "den Ordner legen."
    ),
    "Downloads are switched off (HF_HUB_OFFLINE is set).": "Downloads sind abgeschaltet (HF_HUB_OFFLINE ist gesetzt).",
    "Allow online access.": "Onlinezugriff erlauben.",
    "Check the connection, then try again.": "Die Verbindung prüfen, dann erneut versuchen.",
    "{0} cannot be downloaded: {1}.": "{0} kann nicht heruntergeladen werden: {1}.",
    "{0} is only given to those who agreed to its terms.": "{0} bekommt nur, wer den Bedingungen zugestimmt hat.",
    "It may have moved: update the add-on, or use another model.": (
        "Sie ist vielleicht umgezogen: das Add-on aktualisieren oder ein anderes Modell verwenden."
    ),
    "{0} refuses to hand out {1} (status {2}).": "{0} verweigert {1} (Status {2}).",
    "{0} does not answer in time.": "{0} antwortet nicht rechtzeitig.",
    "There is no model '{0}'.": "Es gibt kein Modell '{0}'.",
    "{0} comes with the worker and stays.": "{0} kommt mit dem Worker und bleibt.",
    "Choose a downloaded model.": "Ein heruntergeladenes Modell wählen.",
    "The files of {0} cannot be deleted: {1}.": "Die Dateien von {0} können nicht gelöscht werden: {1}.",
    "Close what uses them, then try again.": "Schließen, was sie benutzt, dann erneut versuchen.",
    "The network looks at the photos: {0}.": "Das Netzwerk betrachtet die Fotos: {0}.",
    "The request holds no photos.": "Der Auftrag enthält keine Fotos.",
    "Choose at least one photo.": "Mindestens ein Foto wählen.",
    "{0} is only {1} x {2} pixels.": "{0} hat nur {1} x {2} Pixel.",
    "Sides need {0} or more.": "Seiten brauchen {0} oder mehr.",
    "{0} is empty (0 bytes).": "{0} ist leer (0 Byte).",
    "Copy the file again or leave it out.": "Die Datei erneut kopieren oder weglassen.",
    "Two photos are called {0}.": "Zwei Fotos heißen {0}.",
    "Give each its own name.": "Jedem einen eigenen Namen geben.",
    "{0} is the same file as {1}.": "{0} ist dieselbe Datei wie {1}.",
    "Leave one of the two out.": "Eines der beiden weglassen.",
    "Scale the photo down; the network sees it at a small part of this size anyway.": (
        "Das Foto verkleinern; das Netzwerk sieht es ohnehin nur in einem kleinen Teil dieser Größe."
    ),
    "{0} is not a photo of a known format.": "{0} ist kein Foto in einem bekannten Format.",
    "Save it as JPEG, PNG, WebP or TIFF.": "Als JPEG, PNG, WebP oder TIFF speichern.",
    "{0} cannot be decoded: {1}.": "{0} kann nicht dekodiert werden: {1}.",
    "The file seems damaged or cut short; copy it again or leave it out.": (
        "Die Datei scheint beschädigt oder abgeschnitten; erneut kopieren oder weglassen."
    ),
    "{0} photos at a resolution of {1} and {2} do not fit into the memory of {3}.": (
        "{0} Fotos bei einer Auflösung von {1} und {2} passen nicht in den Speicher von {3}."
    ),
    "Lower the resolution, use fewer photos or choose a smaller checkpoint.": (
        "Die Auflösung verringern, weniger Fotos verwenden oder einen kleineren Checkpoint wählen."
    ),
    "Loading {0}.": "{0} wird geladen.",
    "Working out cameras and views.": "Kameras und Ansichten werden berechnet.",
    "There is no camera source '{0}'.": "Es gibt keine Kameraquelle '{0}'.",
    "There is no reference view '{0}'.": "Es gibt keine Referenzansicht '{0}'.",
    "A resolution of {0} pixels cannot be used.": "Eine Auflösung von {0} Pixeln ist nicht verwendbar.",
    "Choose {0} to {1}; multiples of 14 lose nothing.": "{0} bis {1} wählen; Vielfache von 14 verlieren nichts.",
    "{0} predicts no rays, so there are no cameras to solve from them.": (
        "{0} sagt keine Strahlen vorher, daher lassen sich daraus keine Kameras berechnen."
    ),
    "Choose camera source auto, or another checkpoint.": "Kameras automatisch wählen oder einen anderen Checkpoint.",
    "The photos show no surface that a mesh could be made of.": (
        "Die Fotos zeigen keine Oberfläche, aus der eine Masche werden könnte."
    ),
    "The given cameras were not used; the camera source asked for others.": (
        "Die bekannten Kameras wurden nicht verwendet; verlangt waren andere."
    ),
    "Laying out splats.": "Splats werden ausgelegt.",
    "Reading {0} ({1} of {2}).": "{0} wird gelesen ({1} von {2}).",
    "{0} more photos cannot be used either.": "{0} weitere Fotos sind auch nicht verwendbar.",
    "The network's own cameras hardly agree with the given ones; the scale of the depth may be off.": (
        "Die eigenen Kameras des Netzwerks stimmen kaum mit den bekannten überein; der Maßstab der Tiefe kann "
        "falsch sein."
    ),
    "The checkpoint found no field of view for {0}; the focal length is {1}.": (
        "Der Checkpoint fand kein Sichtfeld für {0}; die Brennweite ist {1}."
    ),
    "This checkpoint does not relate photos to each other: all cameras stand at the origin.": (
        "Dieser Checkpoint setzt Fotos nicht zueinander in Beziehung: alle Kameras stehen im Ursprung."
    ),
    "The network found no cameras.": "Das Netzwerk fand keine Kameras.",
    "Choose precision float32 or another checkpoint.": "Genauigkeit float32 oder einen anderen Checkpoint wählen.",
    "The network's depth of {0} is not finite.": "Die Tiefe des Netzwerks von {0} ist nicht endlich.",
    "Choose precision float32; if it already was, the checkpoint is damaged.": (
        "Genauigkeit float32 wählen; war sie es schon, ist der Checkpoint beschädigt."
    ),
    "The depth is in meters; the given cameras are taken to be in meters too.": (
        "Die Tiefe ist in Metern; die bekannten Kameras gelten ebenfalls als in Metern."
    ),
    "This checkpoint's depth has no known scale; it need not match that of the given cameras.": (
        "Die Tiefe dieses Checkpoints hat keinen bekannten Maßstab; er muss nicht zu dem der bekannten Kameras passen."
    ),
    "Fusing the depth of all photos into one surface.": "Die Tiefe aller Fotos wird zu einer Oberfläche verschmolzen.",
    "Preparing depth for the mesh.": "Die Tiefe für die Masche wird vorbereitet.",
    "The mesh is made.": "Die Masche ist erstellt.",
    "Choosing photos for the mesh.": "Fotos für die Masche werden gewählt.",
    "The worker failed in a way it does not know: {0}: {1}.": (
        "Der Worker ist auf unbekannte Weise gescheitert: {0}: {1}."
    ),
    "The job was cancelled.": "Der Auftrag wurde abgebrochen.",
    "A worker takes no {0}.": "Ein Worker nimmt kein {0} an.",
    "Send a job or Cancel.": "Einen Auftrag oder Abbruch senden.",
    "The id '{0}' is taken by another job.": "Die Kennung '{0}' gehört einem anderen Auftrag.",
    "A job needs an id.": "Ein Auftrag braucht eine Kennung.",
    "Give every job an id of its own.": "Jedem Auftrag eine eigene Kennung geben.",
    "Animated objects keep their keyframes, which were made for the scene before.": (
        "Animierte Objekte behalten ihre Schlüsselbilder, die für die vorherige Szene gemacht wurden."
    ),
    "Apply its scale and that of its parents.": "Ihre Skalierung und die ihrer Eltern anwenden.",
    "Check the file.": "Die Datei prüfen.",
    "Choose a camera of its own for each photo.": "Für jedes Foto eine eigene Kamera wählen.",
    "Choose it, or another source of cameras.": "Diesen oder eine andere Quelle der Kameras wählen.",
    "Choose one for each, or take the photo out.": "Für jedes eine wählen oder das Foto herausnehmen.",
    "Choose the folder with cameras.bin and images.bin, or with cameras.txt and images.txt.": (
        "Den Ordner mit cameras.bin und images.bin oder mit cameras.txt und images.txt wählen."
    ),
    "Give one of the two.": "Eines von beiden angeben.",
    "Give the photos names of their own.": "Den Fotos eigene Namen geben.",
    "No COLMAP folder is chosen.": "Es ist kein COLMAP-Ordner gewählt.",
    "No camera is known for {0}.": "Für {0} ist keine Kamera bekannt.",
    "Run 'colmap image_undistorter', and use the photos and the model that it writes.": (
        "'colmap image_undistorter' ausführen und die Fotos und das Modell verwenden, die es schreibt."
    ),
    "Set its type to Perspective, or choose another.": "Ihren Typ auf Perspektive setzen oder eine andere wählen.",
    "Show it, and its collection, in the viewport.": "Sie und ihre Sammlung im Ansichtsfenster anzeigen.",
    "The COLMAP model cannot be read: {0}.": "Das COLMAP-Modell kann nicht gelesen werden: {0}.",
    "The COLMAP model has no camera for {0}.": "Das COLMAP-Modell hat keine Kamera für {0}.",
    "The camera '{0}' is hidden or not in this scene, so Blender does not tell where it is.": (
        "Die Kamera '{0}' ist verborgen oder nicht in dieser Szene, daher gibt Blender nicht an, wo sie ist."
    ),
    "The camera '{0}' is no perspective camera.": "Die Kamera '{0}' ist keine perspektivische Kamera.",
    "The lens of {0} distorts in the COLMAP model ({1}).": "Die Linse von {0} verzeichnet im COLMAP-Modell ({1}).",
    "The request gives cameras and a COLMAP model.": "Der Auftrag enthält Kameras und ein COLMAP-Modell.",
    "There is no COLMAP model in the folder {0}.": "Im Ordner {0} ist kein COLMAP-Modell.",
    "Write it again with COLMAP, or copy it anew.": "Mit COLMAP erneut schreiben oder neu kopieren.",
    "{0} and {1} have the same camera, '{2}'.": "{0} und {1} haben dieselbe Kamera, '{2}'.",
    "{0} has {1} x {2} pixels, but COLMAP saw it with {3} x {4}.": (
        "{0} hat {1} x {2} Pixel, aber COLMAP sah es mit {3} x {4}."
    ),
    "{0} is too large: {1}": "{0} ist zu groß: {1}",
    "{0} on Hugging Face, {1} MB, {2} ({3})": "{0} bei Hugging Face, {1} MB, {2} ({3})",
    "commercial use allowed": "kommerzielle Nutzung erlaubt",
    "no commercial use": "keine kommerzielle Nutzung",
    "The DA3 scene is scaled unevenly or mirrored, so it cannot stand at the known cameras.": (
        "Die DA3-Szene ist ungleichmäßig skaliert oder gespiegelt und kann daher nicht bei den bekannten Kameras "
        "stehen."
    ),
    "Clear its scale, or make a new scene.": "Ihre Skalierung zurücksetzen oder eine neue Szene erstellen.",
    "The camera '{0}' cannot be used: {1}.": "Die Kamera '{0}' ist nicht verwendbar: {1}.",
    "it has a scale of zero": "ihre Skalierung ist null",
    "it is sheared by the scale of its parents": "sie ist durch die Skalierung ihrer Eltern geschert",
    "it is mirrored by a negative scale": "sie ist durch eine negative Skalierung gespiegelt",
    "Added in red, with the reason: {0}.": "Rot hinzugefügt, mit dem Grund: {0}.",
    "In the list already: {0}.": "Schon in der Liste: {0}.",
    "Left out until they are renamed, as their names are not UTF-8: {0}.": (
        "Weggelassen, bis sie umbenannt sind, weil ihre Namen nicht UTF-8 sind: {0}."
    ),
    "Photos added: {0}.": "Hinzugefügte Fotos: {0}.",
    (
        "All photos are taken from one place, so nothing in them tells how far things are and the depth is the "
        "network's guess. For depth that holds, walk between photos instead of turning."
    ): (
        "Alle Fotos sind von einer Stelle aus aufgenommen; nichts darin sagt, wie weit die Dinge entfernt sind, "
        "und die Tiefe ist vom Netz geschätzt. Für eine Tiefe, die stimmt, zwischen den Fotos gehen, statt sich "
        "zu drehen."
    ),
    (
        "The camera hardly moved between these photos, so where it stood and how far things are is unsure. Walk "
        "further between photos."
    ): (
        "Die Kamera hat sich zwischen diesen Fotos kaum bewegt; wo sie stand und wie weit die Dinge entfernt "
        "sind, ist unsicher. Zwischen den Fotos weiter gehen."
    ),
    "Checking what kind of lens the photos show.": (
        "Es wird geprüft, mit was für einem Objektiv die Fotos gemacht sind."
    ),
    "Choose cameras of these photos.": "Kameras dieser Fotos wählen.",
    "Choose the model that these photos belong to.": "Das Modell wählen, zu dem diese Fotos gehören.",
    "Give its camera too, or add photos between it and the others.": (
        "Auch seine Kamera angeben oder Fotos zwischen ihm und den anderen hinzufügen."
    ),
    "No camera is known for {0}, and features of the others do not place it.": (
        "Für {0} ist keine Kamera bekannt, und die Merkmale der anderen sagen nicht, wo es aufgenommen ist."
    ),
    "No camera was given for {0}; features of the other photos place it.": (
        "Für {0} war keine Kamera angegeben; die Merkmale der anderen Fotos sagen, wo es aufgenommen ist."
    ),
    "None of the photos has a known camera.": "Keines der Fotos hat eine bekannte Kamera.",
    "The focal length in the EXIF data of {0}, {1} mm, does not fit the photos; {2} mm does.": (
        "Die Brennweite in den EXIF-Daten von {0}, {1} mm, passt nicht zu den Fotos; {2} mm passt."
    ),
    "The image {0}; pack it again": "Das Bild {0}; neu packen",
    "The image is not a photo; only JPEG, PNG, WebP and TIFF are read": (
        "Das Bild ist kein Foto; nur JPEG, PNG, WebP und TIFF werden gelesen"
    ),
    (
        "The lens seems to bend straight lines: undistort the photos first, in a photo editor or with its lens profile."
    ): (
        "Das Objektiv scheint gerade Linien zu biegen: die Fotos zuerst entzerren, in einem Fotoprogramm oder "
        "mit seinem Objektivprofil."
    ),
    "The photos seem to be cropped, each alike: give them uncropped, or cameras that are known.": (
        "Die Fotos scheinen beschnitten zu sein, alle gleich: unbeschnittene verwenden oder bekannte Kameras angeben."
    ),
    ("The photos seem to be zoomed or cropped, each differently: give the original files, with their EXIF data."): (
        "Die Fotos scheinen gezoomt oder beschnitten zu sein, jedes anders: die Originaldateien mit ihren "
        "EXIF-Daten verwenden."
    ),
    "The points of the COLMAP model cannot be read; features of the photos tell the depth instead.": (
        "Die Punkte des COLMAP-Modells können nicht gelesen werden; stattdessen sagen Merkmale der Fotos die Tiefe."
    ),
    "The same file is given twice": "Dieselbe Datei ist zweimal angegeben",
    "There are several cameras for {0}: {1}.": "Für {0} gibt es mehrere Kameras: {1}.",
    (
        "These cameras may be wrong by degrees, and their focal lengths by a tenth or more: features fit to {0} "
        "pixels, but to {1} with another kind of camera."
    ): (
        "Diese Kameras können um Grade falsch sein und ihre Brennweiten um ein Zehntel oder mehr: Merkmale "
        "passen auf {0} Pixel genau, mit einer anderen Art Kamera aber auf {1}."
    ),
    "Use the photos that COLMAP saw, not cropped.": "Die Fotos verwenden, die COLMAP gesehen hat, nicht beschnitten.",
    "Videos cannot be read; save frames of it as JPEGs": (
        "Videos können nicht gelesen werden; Einzelbilder daraus als JPEG speichern"
    ),
    "It is left out.": "Es wird weggelassen.",
    "{0} ends too early": "{0} endet zu früh",
    "Close other programs, or allow the worker more memory.": (
        "Andere Programme schließen oder dem Worker mehr Speicher erlauben."
    ),
    "Close other programs, scale the photo down or leave it out.": (
        "Andere Programme schließen, das Foto verkleinern oder es weglassen."
    ),
    "Make a smaller model of these photos, with COLMAP's 'image_deleter' or 'point_filtering'.": (
        "Ein kleineres Modell dieser Fotos machen, mit COLMAPs 'image_deleter' oder 'point_filtering'."
    ),
    "Only {0} MB of memory are free for the worker; a small job needs {1}.": (
        "Für den Worker sind nur {0} MB Speicher frei; ein kleiner Auftrag braucht {1}."
    ),
    "Scale the photo down, or close other programs.": "Das Foto verkleinern oder andere Programme schließen.",
    "The COLMAP model in {0} has {1} GB; up to {2} are read.": (
        "Das COLMAP-Modell in {0} hat {1} GB; bis zu {2} werden gelesen."
    ),
    "The file claims {0} x {1} pixels, which it is too small to hold; copy it again": (
        "Die Datei behauptet {0} x {1} Pixel, ist dafür aber zu klein; neu kopieren"
    ),
    "The photo has {0} x {1} pixels, more than can be read; scale it down": (
        "Das Foto hat {0} x {1} Pixel, mehr als gelesen werden können; verkleinern"
    ),
    "There is not enough memory to read {0}.": "Der Speicher reicht nicht, um {0} zu lesen.",
    "{0} claims {1} x {2} pixels, which its {3} bytes cannot hold.": (
        "{0} behauptet {1} x {2} Pixel, die in {3} Bytes nicht passen."
    ),
    "{0} has {1} x {2} pixels. Reading it takes {3} GB of memory, and {4} GB are free.": (
        "{0} hat {1} x {2} Pixel. Es zu lesen braucht {3} GB Speicher, und {4} GB sind frei."
    ),
    "{0} has {1} x {2} pixels; {3} a side and {4} million in all are the most that can be read.": (
        "{0} hat {1} x {2} Pixel; höchstens {3} je Seite und {4} Millionen insgesamt können gelesen werden."
    ),
    "{0} is damaged, or not COLMAP's, after {1} entries": "{0} ist nach {1} Einträgen beschädigt oder nicht von COLMAP",
    "{0} lists number {1} twice": "{0} führt die Nummer {1} zweimal",
    "The geometry of {0} was edited by hand; that is kept, hidden, in {1}.": (
        "Die Geometrie von {0} wurde von Hand bearbeitet; das bleibt verborgen in {1}."
    ),
    "Nothing tells how large this is: its longest side was made {0} units. Set Distance changes it.": (
        "Nichts sagt, wie groß dies ist: die längste Seite bekam {0} Einheiten. Abstand festlegen ändert das."
    ),
    "It stands beside what was there already.": "Sie steht neben dem, was schon da war.",
    "Looking at the package.": "Das Paket wird geprüft.",
    "Installing packages.": "Pakete werden installiert.",
    "Blender does not allow online access, and packages have to be downloaded.": (
        "Blender erlaubt keinen Online-Zugriff, und Pakete müssen heruntergeladen werden."
    ),
    "Let its package be installed into it, which needs Python 3.11 or newer, or install the runtime instead.": (
        "Das Paket hineininstallieren lassen, wozu es Python 3.11 oder neuer sein muss, oder stattdessen die "
        "Laufzeitumgebung installieren."
    ),
    "This DA3 scene is in another scene, too, inside a collection of yours.": (
        "Diese DA3-Szene ist auch in einer anderen Szene, in einer eigenen Sammlung."
    ),
    "Take it out of that collection first.": "Zuerst aus dieser Sammlung herausnehmen.",
    "{0} cannot be used: {1}.": "{0} ist nicht verwendbar: {1}.",
    "Copy the file again, or write it anew: it tells which network a checkpoint is for.": (
        "Die Datei erneut kopieren oder neu schreiben: Sie sagt, für welches Netz ein Checkpoint ist."
    ),
    "it cannot be read ({0})": "sie kann nicht gelesen werden ({0})",
    "it has more than {0} MB": "sie hat mehr als {0} MB",
    "its text is damaged or in an old encoding; save it as UTF-8": (
        "ihr Text ist beschädigt oder in einer alten Kodierung; als UTF-8 speichern"
    ),
    "it holds more than {0} values": "sie enthält mehr als {0} Werte",
    "it is not JSON (line {0}, column {1})": "sie ist kein JSON (Zeile {0}, Spalte {1})",
    "its text holds half a letter (a lone surrogate)": "ihr Text enthält ein halbes Zeichen (ein einzelnes Surrogat)",
    "its brackets are nested too deeply": "ihre Klammern sind zu tief verschachtelt",
    "its line {0} says {1} where a number should be": "ihre Zeile {0} nennt {1}, wo eine Zahl stehen sollte",
    "it holds a number that is too large ({0})": "sie enthält eine zu große Zahl ({0})",
    "it says '{0}' twice in one place": "sie nennt '{0}' zweimal an einer Stelle",
    "The {0} of {1} names the resolution {2}, which cannot be used.": (
        "Die {0} von {1} nennt die Auflösung {2}, die nicht verwendbar ist."
    ),
    "It should be a number of pixels from {0} to {1}, or be left out.": (
        "Sie sollte eine Zahl von Pixeln von {0} bis {1} sein oder fehlen."
    ),
    "{0} is a folder, a link, a pipe or a device where a file should be": (
        "{0} ist ein Ordner, ein Link, eine Pipe oder ein Gerät, wo eine Datei sein sollte"
    ),
    "{0} cannot be written: {1}.": "{0} kann nicht geschrieben werden: {1}.",
    "Remove it, or choose another folder for models.": "Entfernen oder einen anderen Ordner für Modelle wählen.",
    "its {0} has more than {1}": "seine {0} hat mehr als {1}",
    "The address of the hub, or of a proxy, cannot be used.": (
        "Die Adresse des Hubs oder eines Proxys ist nicht verwendbar."
    ),
    "Check the variables HF_ENDPOINT and HTTPS_PROXY: in a password, / is written %2F and @ is written %40.": (
        "Die Variablen HF_ENDPOINT und HTTPS_PROXY prüfen: In einem Passwort wird / als %2F geschrieben und @ als %40."
    ),
    "Photos left out, as nothing usable is known of them: {count}": (
        "Weggelassene Fotos, von denen nichts Brauchbares bekannt ist: {count}"
    ),
    "Settings that cannot be used and stay as they are: {names}": (
        "Unbrauchbare Einstellungen, die bleiben, wie sie sind: {names}"
    ),
    "What this scene was made with cannot be read; these are the photos of its cameras": (
        "Womit diese Szene erstellt wurde, ist nicht lesbar; dies sind die Fotos ihrer Kameras"
    ),
}
