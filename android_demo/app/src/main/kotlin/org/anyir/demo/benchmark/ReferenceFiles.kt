package org.anyir.demo.benchmark

import android.content.Context
import org.anyir.core.benchmark.ReferenceTiles
import java.io.File

private const val FOLDER = "reference"

/**
 * The reference tiles: those pushed to `Android/data/org.anyir.demo/files/reference`, else those in the app.
 *
 * @throws org.anyir.core.benchmark.ReferenceException there are none, or they are damaged
 */
fun referenceTiles(context: Context): ReferenceTiles {
    val pushed = context.getExternalFilesDir(FOLDER)?.takeIf { File(it, "reference.json").isFile }
    return if (pushed != null) {
        ReferenceTiles { File(pushed, it).inputStream() }
    } else {
        ReferenceTiles { context.assets.open("$FOLDER/$it") }
    }
}
