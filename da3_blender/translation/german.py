"""What Blender shows of the add-on: labels, tooltips, names and choices, in German."""

LABELS = {
    "Add Photos to DA3": "Fotos zu DA3 hinzufügen",
    "Choose photo files for the list": "Fotodateien für die Liste auswählen",
    "Add Folder": "Ordner hinzufügen",
    "Add all photos of a folder to the list": "Alle Fotos eines Ordners zur Liste hinzufügen",
    "Add Images of This File": "Bilder dieser Datei hinzufügen",
    "Add images that are already in this file to the list": (
        "Bilder, die schon in dieser Datei sind, zur Liste hinzufügen"
    ),
    "Name of one image; all of them where this is empty": "Name eines Bildes; leer für alle",
    "Image": "Bild",
    "File": "Datei",
    "The photo's file": "Die Datei des Fotos",
    "Image in this file that is the photo": "Bild in dieser Datei, das das Foto ist",
    "Reference Photo": "Referenzfoto",
    "The scene is made in the frame of this photo's camera": (
        "Die Szene wird im Koordinatensystem der Kamera dieses Fotos erstellt"
    ),
    "Width": "Breite",
    "Pixels of the upright photo": "Pixel des aufrecht stehenden Fotos",
    "Height": "Höhe",
    "Lens": "Linse",
    "Focal length the camera noted, mm on 36 mm film": (
        "Von der Kamera vermerkte Brennweite in mm, bezogen auf 36 mm Film"
    ),
    "Problem": "Problem",
    "Why this photo cannot be used": "Warum dieses Foto nicht verwendbar ist",
    "Remove Photo": "Foto entfernen",
    "Take the chosen photo out of the list; its file stays": (
        "Das ausgewählte Foto aus der Liste nehmen; seine Datei bleibt erhalten"
    ),
    "Remove All Photos": "Alle Fotos entfernen",
    "Take all photos out of the list; their files stay": (
        "Alle Fotos aus der Liste nehmen; ihre Dateien bleiben erhalten"
    ),
    "Move Photo": "Foto verschieben",
    "Move the chosen photo up or down in the list": (
        "Das ausgewählte Foto in der Liste nach oben oder unten verschieben"
    ),
    "Step": "Schritt",
    "Places to move on; negative moves up": "Anzahl der Plätze; negativ nach oben",
    "Use as Reference Photo": "Als Referenzfoto verwenden",
    "Make the scene in the frame of the chosen photo's camera; again to leave the choice to the model": (
        "Die Szene im Koordinatensystem der Kamera des ausgewählten Fotos erstellen; erneut, um die Wahl dem "
        "Modell zu überlassen"
    ),
    "Check Photos Again": "Fotos erneut prüfen",
    "Look at the files of all photos again": "Die Dateien aller Fotos erneut ansehen",
    "Choose Model": "Modell wählen",
    "Use this model for the scene": "Dieses Modell für die Szene verwenden",
    "Model": "Modell",
    "Name": "Name",
    "Points": "Punkte",
    "Splats": "Splats",
    "Mesh": "Masche",
    "Photos": "Fotos",
    "The photos to make a scene from": "Die Fotos, aus denen eine Szene erstellt wird",
    "Active Photo": "Aktives Foto",
    "The photo chosen in the list": "Das in der Liste ausgewählte Foto",
    "Active Camera": "Aktive Kamera",
    "The camera chosen in the list of a result": "Die in der Liste eines Ergebnisses ausgewählte Kamera",
    "Name of the collection to make; the photos' folder gives it where this is empty": (
        "Name der Sammlung, die erstellt wird; leer für den Namen des Fotoordners"
    ),
    "Which model looks at the photos": "Welches Modell die Fotos betrachtet",
    "Own Checkpoint": "Eigener Checkpoint",
    "A checkpoint of your own in the released format, instead of a model of the list": (
        "Ein eigener Checkpoint im veröffentlichten Format anstelle eines Modells der Liste"
    ),
    "Only Commercially Usable": "Nur kommerziell nutzbare",
    "List only models whose results may be sold": "Nur Modelle auflisten, deren Ergebnisse verkauft werden dürfen",
    "Cameras": "Kameras",
    "Where the cameras come from": "Woher die Kameras stammen",
    "Features of the photos where they place most of them, else the network": (
        "Merkmale der Fotos, wenn sie die meisten platzieren, sonst das Netzwerk"
    ),
    "Network": "Netzwerk",
    "The cameras that the network says directly": "Die Kameras, die das Netzwerk direkt angibt",
    "Rays": "Strahlen",
    "Solved from the network's ray maps: slower, sometimes better": (
        "Aus den Strahlenkarten des Netzwerks berechnet: langsamer, manchmal besser"
    ),
    "Features": "Merkmale",
    "Solved from points that are found again in several photos, as photogrammetry does": (
        "Aus Punkten berechnet, die in mehreren Fotos wiedergefunden werden, wie in der Photogrammetrie"
    ),
    "Known": "Bekannt",
    "Cameras that are known already": "Kameras, die schon bekannt sind",
    "Refine Cameras": "Kameras verfeinern",
    "Make the network's cameras agree with points found again in several photos, where that helps": (
        "Die Kameras des Netzwerks an Punkte anpassen, die in mehreren Fotos wiedergefunden werden, wo das hilft"
    ),
    "Make a colored point cloud": "Eine farbige Punktwolke erstellen",
    "Make Gaussian splats, which look like the photos from nearby views": (
        "Gauß-Splats erstellen, die aus nahen Blickwinkeln wie die Fotos aussehen"
    ),
    "Which mesh to make": "Welche Masche erstellt wird",
    "None": "Keine",
    "Make no mesh": "Keine Masche erstellen",
    "One Surface": "Eine Oberfläche",
    "One clean surface from all photos, with the photos as its texture": (
        "Eine saubere Oberfläche aus allen Fotos, mit den Fotos als Textur"
    ),
    "Sheet per Photo": "Blatt pro Foto",
    "One surface per photo, with the photo at its full resolution": (
        "Eine Oberfläche pro Foto, mit dem Foto in voller Auflösung"
    ),
    "Set Detail": "Detail festlegen",
    "Choose the detail yourself; otherwise the model works as it does best": (
        "Das Detail selbst wählen; sonst arbeitet das Modell so, wie es am besten ist"
    ),
    "Detail": "Detail",
    "Longest side in pixels at which the model sees the photos: more is slower and needs memory": (
        "Längste Seite in Pixeln, mit der das Modell die Fotos sieht: mehr ist langsamer und braucht Speicher"
    ),
    "Hide Unsure": "Unsichere verbergen",
    "Share of the points that is hidden at first, the least sure ones; changed any time later": (
        "Anteil der Punkte, der zunächst verborgen ist, die unsichersten; später jederzeit änderbar"
    ),
    "Edge Filter": "Kantenfilter",
    "Leaves out points between a near and a far thing, where the surface is seen flatter than this many "
    "degrees; 0 keeps all": (
        "Lässt Punkte zwischen Nahem und Fernem weg, wo die Oberfläche flacher als um so viele Grad gesehen wird; "
        "0 behält alle"
    ),
    "Upright": "Aufrecht",
    "Turn the scene so that up is up": "Die Szene so drehen, dass oben oben ist",
    "On the Floor": "Auf dem Boden",
    "Move the floor to height zero and the middle to the origin": (
        "Den Boden auf Höhe null und die Mitte zum Ursprung verschieben"
    ),
    "Colors as in the Photos": "Farben wie in den Fotos",
    "Set the scene's view transform to Standard, so that photo colors render as they are": (
        "Die Ansichtstransformation der Szene auf Standard setzen, damit Fotofarben unverändert gerendert werden"
    ),
    "Name of the model, as the list has it": "Name des Modells, wie in der Liste",
    "Remove Model": "Modell entfernen",
    "Delete this model's files from the disk": "Die Dateien dieses Modells vom Datenträger löschen",
    "Download Model": "Modell herunterladen",
    "Download this model, or go on with a download that stopped; asks for its license where that is not open": (
        "Dieses Modell herunterladen oder einen angehaltenen Download fortsetzen; fragt nach der Lizenz, wenn sie "
        "nicht frei ist"
    ),
    "I Accept This License": "Ich akzeptiere diese Lizenz",
    "The model is only used as this license allows": "Das Modell wird nur so verwendet, wie diese Lizenz es erlaubt",
    "Cancel Download": "Download abbrechen",
    "Stop the download; what came stays, and the next one goes on from there": (
        "Den Download anhalten; was schon da ist, bleibt, und der nächste setzt dort fort"
    ),
    "Refresh Models": "Modelle aktualisieren",
    "Look again which models are here; a remote worker is asked": (
        "Erneut nachsehen, welche Modelle da sind; ein entfernter Worker wird gefragt"
    ),
    "Dismiss": "Schließen",
    "Close this message": "Diese Meldung schließen",
    "Make Scene": "Szene erstellen",
    "Make a scene from the photos; Blender stays usable meanwhile": (
        "Aus den Fotos eine Szene erstellen; Blender bleibt währenddessen benutzbar"
    ),
    "Cancel": "Abbrechen",
    "Stop the installation; what was installed before stays": (
        "Die Installation anhalten; was vorher installiert war, bleibt"
    ),
    "Stop making the scene": "Das Erstellen der Szene anhalten",
    "Place Here": "Hier platzieren",
    "Put the finished scene into the scene that is open now": "Die fertige Szene in die jetzt geöffnete Szene einfügen",
    "Discard": "Verwerfen",
    "Throw the finished scene away": "Die fertige Szene wegwerfen",
    "Copy Report": "Bericht kopieren",
    "Copy what went wrong, with its log, to the clipboard": (
        "Was schiefging, mit dem Protokoll in die Zwischenablage kopieren"
    ),
    "Copy what went wrong, with the worker's log, to the clipboard": (
        "Was schiefging, mit dem Protokoll des Workers in die Zwischenablage kopieren"
    ),
    "Photos as 3D Scene": "Fotos als 3D-Szene",
    "Choose photos and make a scene from them": "Fotos auswählen und daraus eine Szene erstellen",
    "Replace List": "Liste ersetzen",
    "Take the photos of the list out before": "Die Fotos der Liste vorher herausnehmen",
    "Start at once, with the settings of the panel": "Sofort mit den Einstellungen des Panels beginnen",
    "Name of the scene; the folder's by default": "Name der Szene; sonst der des Ordners",
    "Look Through Photo": "Durch Foto blicken",
    "Name of the camera object": "Name des Kameraobjekts",
    "Camera": "Kamera",
    "Show or Hide Part": "Teil anzeigen oder verbergen",
    "Part": "Teil",
    "Sheet": "Blatt",
    "Show or Hide Photo": "Foto anzeigen oder verbergen",
    "Show or hide what comes from this photo: its camera, points, splats and sheet. With Only, hide all the others": (
        "Anzeigen oder verbergen, was aus diesem Foto stammt: Kamera, Punkte, Splats und Blatt. Mit „Nur“ alle "
        "anderen verbergen"
    ),
    "Photo": "Foto",
    "Name of the photo; all of them where this is empty": "Name des Fotos; leer für alle",
    "Only": "Nur",
    "Show this photo and hide all others": "Dieses Foto anzeigen und alle anderen verbergen",
    "Result": "Ergebnis",
    "Set Floor": "Boden festlegen",
    "Click on three points of the floor; the DA3 scene is turned and moved so that they lie at height zero": (
        "Drei Punkte des Bodens anklicken; die DA3-Szene wird so gedreht und verschoben, dass sie auf Höhe null liegen"
    ),
    "Update": "Aktualisieren",
    "Make this scene again with the photos and settings above. Its objects change in place and keep what you "
    "did to them; with an empty list it takes its own photos": (
        "Diese Szene mit den Fotos und Einstellungen oben erneut erstellen. Ihre Objekte ändern sich an Ort und "
        "Stelle und behalten eigene Anpassungen; bei leerer Liste werden ihre eigenen Fotos genommen"
    ),
    "Load Photos and Settings": "Fotos und Einstellungen laden",
    "Set the photos and settings above to those that this scene was made with": (
        "Fotos und Einstellungen oben auf die setzen, mit denen diese Szene erstellt wurde"
    ),
    "Remove": "Entfernen",
    "Remove this scene with everything that only it uses; your own objects inside it stay": (
        "Diese Szene mit allem entfernen, was nur sie verwendet; eigene Objekte darin bleiben"
    ),
    "Set Distance": "Abstand festlegen",
    "Click on two points of the DA3 scene and type how far apart they are in reality; the whole scene is scaled": (
        "Zwei Punkte der DA3-Szene anklicken und eingeben, wie weit sie in Wirklichkeit auseinanderliegen; die "
        "ganze Szene wird skaliert"
    ),
    "Scale the DA3 scene so that two of its points are this far apart": (
        "Die DA3-Szene so skalieren, dass zwei ihrer Punkte so weit auseinanderliegen"
    ),
    "How far apart the two points are in reality": "Wie weit die beiden Punkte in Wirklichkeit auseinanderliegen",
    "Turn and move the DA3 scene so that three of its points lie on the floor at height zero, the cameras above": (
        "Die DA3-Szene so drehen und verschieben, dass drei ihrer Punkte auf dem Boden in Höhe null liegen, die "
        "Kameras darüber"
    ),
    "Install Runtime": "Laufzeitumgebung installieren",
    "Download and install what computes the scenes, in a folder of its own": (
        "Herunterladen und in einen eigenen Ordner installieren, was die Szenen berechnet"
    ),
    "Repair": "Reparieren",
    "Download everything again": "Alles erneut herunterladen",
    "Remove Runtime": "Laufzeitumgebung entfernen",
    "Delete the runtime from the disk; models stay": "Die Laufzeitumgebung vom Datenträger löschen; Modelle bleiben",
    "Test Runtime": "Laufzeitumgebung testen",
    "Start the worker once and tell what it runs on": "Den Worker einmal starten und angeben, worauf er läuft",
    "Show Preferences": "Einstellungen anzeigen",
    "Show the add-on's preferences, where the runtime is installed and chosen": (
        "Die Einstellungen des Add-ons anzeigen, wo die Laufzeitumgebung installiert und gewählt wird"
    ),
    "Lower Detail": "Detail verringern",
    "Let the model see the photos with three quarters of the detail, which takes about half of the memory": (
        "Das Modell die Fotos mit drei Vierteln des Details sehen lassen, was etwa die Hälfte des Speichers braucht"
    ),
    "Make": "Erstellen",
    "Details": "Details",
    "DA3 Scenes": "DA3-Szenen",
    "Photo List": "Fotoliste",
    "Models": "Modelle",
    "Automatic": "Automatisch",
    "Runtime": "Laufzeitumgebung",
    "Where the computing is done": "Wo gerechnet wird",
    "Compute in an environment of its own, installed here": "In einer eigenen, hier installierten Umgebung rechnen",
    "Existing Python": "Vorhandenes Python",
    "Compute in a Python of yours that has the worker's package": (
        "In einem eigenen Python rechnen, das das Paket des Workers hat"
    ),
    "Remote Worker": "Entfernter Worker",
    "Compute on another machine, through a command such as ssh": (
        "Auf einem anderen Rechner rechnen, über einen Befehl wie ssh"
    ),
    "PyTorch Build": "PyTorch-Ausgabe",
    "Which build of PyTorch is installed": "Welche Ausgabe von PyTorch installiert wird",
    "The build for this machine's GPU where its files can be verified, else the one for the CPU": (
        "Die Ausgabe für die GPU dieses Rechners, wenn sich ihre Dateien prüfen lassen, sonst die für die CPU"
    ),
    "GPU, Unverified": "GPU, ungeprüft",
    "The build that fits this machine's GPU, though no hash vouches for its files": (
        "Die Ausgabe, die zur GPU dieses Rechners passt, obwohl kein Hash für ihre Dateien bürgt"
    ),
    "Not all of its files were checked by their hashes": "Nicht alle ihre Dateien wurden mit ihren Hashes geprüft",
    "CPU": "CPU",
    "The small build without a GPU": "Die kleine Ausgabe ohne GPU",
    "Package Index": "Paketindex",
    "What the package index has, as with a mirror of your own": (
        "Was der Paketindex anbietet, etwa bei einem eigenen Spiegelserver"
    ),
    "Python": "Python",
    "A Python that has the worker's package": "Ein Python, das das Paket des Workers hat",
    "Command": "Befehl",
    "Starts the worker on another machine, as in a terminal; it must not ask for a password": (
        "Startet den Worker auf einem anderen Rechner, wie in einem Terminal; er darf nicht nach einem Passwort fragen"
    ),
    "Where downloaded models are kept; empty for .da3 in your home": (
        "Wo heruntergeladene Modelle liegen; leer für .da3 im Benutzerordner"
    ),
    "Photos for DA3": "Fotos für DA3",
    "Read License": "Lizenz lesen",
    "Model Page": "Seite des Modells",
    "No photo was chosen": "Kein Foto ausgewählt",
    "This file has no images with a file or packed data": "Diese Datei hat keine Bilder mit Datei oder gepackten Daten",
    "Photos that cannot be used: {count}": "Nicht verwendbare Fotos: {count}",
    "All photos can be used": "Alle Fotos sind verwendbar",
    "The report is on the clipboard": "Der Bericht ist in der Zwischenablage",
    "Photos as 3D Scene (DA3)": "Fotos als 3D-Szene (DA3)",
    "Detail is now {detail}": "Detail ist jetzt {detail}",
    "First Point": "Erster Punkt",
    "Where the first point is": "Wo der erste Punkt ist",
    "Second Point": "Zweiter Punkt",
    "Where the second point is": "Wo der zweite Punkt ist",
    "Where the first point of the floor is": "Wo der erste Punkt des Bodens ist",
    "Where the second point of the floor is": "Wo der zweite Punkt des Bodens ist",
    "Third Point": "Dritter Punkt",
    "Where the third point of the floor is": "Wo der dritte Punkt des Bodens ist",
    "Object": "Objekt",
    "Object of the DA3 scene that the points are on; tells where the scene is if its objects have been moved apart": (
        "Objekt der DA3-Szene, auf dem die Punkte liegen; sagt, wo die Szene ist, wenn ihre Objekte "
        "auseinanderbewegt wurden"
    ),
    "This DA3 scene is not in the file any more": "Diese DA3-Szene ist nicht mehr in der Datei",
    "No point of a DA3 scene is shown here. Click on one": (
        "Hier ist kein Punkt einer DA3-Szene zu sehen. Einen anklicken"
    ),
    "Click on the first of two points whose distance you know. Esc: cancel": (
        "Den ersten von zwei Punkten anklicken, deren Abstand bekannt ist. Esc: abbrechen"
    ),
    "Click on the second point. Esc: cancel": "Den zweiten Punkt anklicken. Esc: abbrechen",
    "Click on the first of three points of the floor. Esc: cancel": (
        "Den ersten von drei Punkten des Bodens anklicken. Esc: abbrechen"
    ),
    "Click on a second point of the floor, far from the first. Esc: cancel": (
        "Einen zweiten Punkt des Bodens anklicken, weit vom ersten entfernt. Esc: abbrechen"
    ),
    "Click on a third point of the floor, beside the line between the two. Esc: cancel": (
        "Einen dritten Punkt des Bodens anklicken, abseits der Linie zwischen beiden. Esc: abbrechen"
    ),
    "The camera '{name}' is not in this scene": "Die Kamera '{name}' ist nicht in dieser Szene",
    "License {license}: commercial use allowed": "Lizenz {license}: kommerzielle Nutzung erlaubt",
    "License {license}: no commercial use": "Lizenz {license}: keine kommerzielle Nutzung",
    "License {license}: whether commercial use is allowed is not told": (
        "Lizenz {license}: ob kommerzielle Nutzung erlaubt ist, ist nicht angegeben"
    ),
    "{size} on disk, about {memory} of memory": "{size} auf dem Datenträger, etwa {memory} Speicher",
    "Single photos only": "Nur einzelne Fotos",
    "Results in meters": "Ergebnisse in Metern",
    "No model has this name": "Kein Modell hat diesen Namen",
    "Ready": "Bereit",
    "Resume Download ({here} of {size})": "Download fortsetzen ({here} von {size})",
    "Download ({size})": "Herunterladen ({size})",
    "Accept License": "Lizenz akzeptieren",
    "Scene": "Szene",
    "Add Photos": "Fotos hinzufügen",
    "Reference": "Referenz",
    "This file has no images": "Diese Datei hat keine Bilder",
    "All Images": "Alle Bilder",
    "Two or more photos of one place work best": "Am besten zwei oder mehr Fotos desselben Ortes",
    "Refined": "Verfeinert",
    "Sheets": "Blätter",
    "Cameras: {source}": "Kameras: {source}",
    "Cameras: {source}, match error {error} pixels": "Kameras: {source}, Passfehler {error} Pixel",
    "Unknown": "Unbekannt",
    "Model: {model}": "Modell: {model}",
    "Confidence": "Konfidenz",
    "Point Size": "Punktgröße",
    "Shown": "Angezeigt",
    "Splats Shown": "Angezeigte Splats",
    "Splat Size": "Splatgröße",
    "Show All Photos": "Alle Fotos anzeigen",
    "In meters": "In Metern",
    "In units of its own, not meters": "In eigenen Einheiten, nicht Metern",
    "Show Colors": "Farben anzeigen",
    "Make Scene from {usable} of {count} Photos": "Szene aus {usable} von {count} Fotos erstellen",
    "{minutes} min left": "noch {minutes} min",
    "{seconds} s left": "noch {seconds} s",
    "Making '{name}'": "'{name}' wird erstellt",
    "Resume Installation": "Installation fortsetzen",
    "Testing...": "Test läuft...",
    "Test": "Testen",
    "Looking at the runtime...": "Laufzeitumgebung wird angesehen...",
    "Upgrade Runtime": "Laufzeitumgebung aktualisieren",
    "Installed: version {version}, {size} GB, torch {torch} on {device}, Python {python}": (
        "Installiert: Version {version}, {size} GB, torch {torch} auf {device}, Python {python}"
    ),
    "Needs {needed} GB while it is installed; {free} GB are free": (
        "Braucht während der Installation {needed} GB; {free} GB sind frei"
    ),
    "The add-on comes with another version; the runtime should be upgraded": (
        "Das Add-on bringt eine andere Version mit; die Laufzeitumgebung sollte aktualisiert werden"
    ),
    "Not installed": "Nicht installiert",
    "Allow Online Access": "Onlinezugriff erlauben",
    "Repair Runtime": "Laufzeitumgebung reparieren",
    "Scale set by you: {distance} between two points": "Selbst festgelegter Maßstab: {distance} zwischen zwei Punkten",
    "Device: {0} ({1})": "Gerät: {0} ({1})",
    "Memory: {0}": "Speicher: {0}",
    "Worker {0}, protocol {1}": "Worker {0}, Protokoll {1}",
    "Models ready: {0}": "Bereite Modelle: {0}",
    "Started in {0} s": "Gestartet in {0} s",
    "Animated objects keep their keyframes, which were made for the scene before": (
        "Animierte Objekte behalten ihre Schlüsselbilder, die für die vorherige Szene gemacht wurden"
    ),
    "Blender Cameras": "Blender-Kameras",
    "COLMAP Folder": "COLMAP-Ordner",
    "Cameras of a COLMAP model, such as its folder sparse/0": (
        "Kameras eines COLMAP-Modells, etwa seines Ordners sparse/0"
    ),
    "Cameras of this scene; what is made stands where they stand": (
        "Kameras dieser Szene; was erstellt wird, steht dort, wo sie stehen"
    ),
    "Every photo has a camera": "Jedes Foto hat eine Kamera",
    "Find the camera of every photo that has none yet: the one with the photo behind it, or with the photo's "
    "name": "Für jedes Foto ohne Kamera die passende suchen: die mit dem Foto als Hintergrund oder mit seinem Namen",
    "Folder with the cameras and images of a COLMAP model of these photos, undistorted": (
        "Ordner mit den Kameras und Bildern eines COLMAP-Modells dieser Fotos, entzerrt"
    ),
    "Known Cameras": "Bekannte Kameras",
    "Match Cameras to Photos": "Kameras den Fotos zuordnen",
    "Photos without a camera: {names}": "Fotos ohne Kamera: {names}",
    "The camera of this scene that the photo was taken with": (
        "Die Kamera dieser Szene, mit der das Foto aufgenommen wurde"
    ),
    "Where the known cameras are": "Wo die bekannten Kameras sind",
    "More to do with the list of photos": "Mehr für die Fotoliste",
    "Add all images of this file to the list, or one of them": (
        "Alle Bilder dieser Datei oder eines davon zur Liste hinzufügen"
    ),
    "Show Result": "Ergebnis zeigen",
    "Go to the finished scene and look through its first photo": (
        "Zur fertigen Szene gehen und durch ihr erstes Foto sehen"
    ),
    "Look through this photo's camera, at the photo's size, for as long as you look. Photos that are "
    "bound to the timeline go to their frame": (
        "Durch die Kamera dieses Fotos sehen, in der Größe des Fotos, solange man hinsieht. Fotos, die an "
        "die Zeitleiste gebunden sind, gehen zu ihrem Bild"
    ),
    "What tells a DA3 scene from others": "Was eine DA3-Szene von anderen unterscheidet",
    "Show or hide this part of the DA3 scene, in viewports and renders": (
        "Diesen Teil der DA3-Szene zeigen oder verbergen, in Ansichten und beim Rendern"
    ),
    "Back to Own Camera": "Zurück zur eigenen Kamera",
    "Give the scene its own camera and size again, after a photo was looked through": (
        "Der Szene ihre eigene Kamera und Größe zurückgeben, nachdem durch ein Foto gesehen wurde"
    ),
    "Bind Photos to Timeline": "Fotos an Zeitleiste binden",
    "Give every photo a frame of the timeline, with its camera and size; they own the scene's camera and "
    "render size until this is switched off, which gives back what was there": (
        "Jedem Foto ein Bild der Zeitleiste geben, mit seiner Kamera und Größe; ihnen gehören Kamera und "
        "Rendergröße der Szene, bis dies abgeschaltet wird, was zurückgibt, was vorher da war"
    ),
    "Bind": "Binden",
    "Bind them, or take them off the timeline": "Binden, oder von der Zeitleiste nehmen",
    "Real Distance": "Wirklicher Abstand",
    "Own Environment": "Eigene Umgebung",
    "{count} cameras": "{count} Kameras",
    "{count} points": "{count} Punkte",
    "{count} splats": "{count} Splats",
    "{count} triangles": "{count} Dreiecke",
    "Scene ready: {counts}": "Szene fertig: {counts}",
    "Scene updated: {counts}": "Szene aktualisiert: {counts}",
    "Update replaces the geometry; what you edited is kept beside it, hidden": (
        "Aktualisieren ersetzt die Geometrie; das Bearbeitete bleibt daneben, verborgen"
    ),
    "Edited by hand: {names}": "Von Hand bearbeitet: {names}",
    "Now {distance} units, of no known length": "Jetzt {distance} Einheiten, deren Länge unbekannt ist",
    "Predicts splats itself": "Sagt selbst Splats voraus",
    "Objects": "Objekte",
    "None of the photos can be used": "Keins der Fotos ist verwendbar",
    "Add photos first": "Zuerst Fotos hinzufügen",
    "Show": "Zeigen",
    "Guide": "Anleitung",
    "Open the guide, which explains every setting and message": (
        "Die Anleitung öffnen, die jede Einstellung und Meldung erklärt"
    ),
    "Install in This Python": "In dieses Python installieren",
    "Download and install what computes the scenes into the chosen Python, by its own pip": (
        "Herunterladen und mit dessen eigenem pip in das gewählte Python installieren, was die Szenen berechnet"
    ),
    "Own Camera": "Eigene Kamera",
}
