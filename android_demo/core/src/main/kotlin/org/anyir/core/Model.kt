package org.anyir.core

import java.io.File

/** An artifact whose bytes are those that its manifest describes. */
class Model(val manifest: Manifest, val file: File)

/** One artifact in a folder of models. */
sealed interface ModelEntry {
    class Usable(val model: Model) : ModelEntry

    /** @param reason one sentence for the user */
    class Refused(val file: File, val reason: String) : ModelEntry
}
