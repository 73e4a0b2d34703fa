package org.anyir.demo.example

import android.graphics.Bitmap
import org.anyir.core.ModelEntry
import org.anyir.core.ModelStore
import org.anyir.core.PhotoRestorer
import org.anyir.core.PhotoSink
import org.anyir.core.PhotoSource
import org.anyir.core.Region
import org.anyir.engines.Engines
import java.io.File

/** [photo] restored by the first model in [folder]. Takes seconds: call it off the main thread. */
fun restore(photo: Bitmap, folder: File, engineId: String = "litert-cpu"): Bitmap {
    val model = ModelStore(listOf(folder)).list().filterIsInstance<ModelEntry.Usable>().first().model
    val factory = Engines.byId(engineId)!!
    factory.unavailable()?.let { error("${factory.label}: $it") }

    val result = Bitmap.createBitmap(photo.width, photo.height, Bitmap.Config.ARGB_8888)
    val source = object : PhotoSource {
        override val width = photo.width
        override val height = photo.height

        override fun read(region: Region, argb: IntArray) =
            photo.getPixels(argb, 0, region.width, region.x, region.y, region.width, region.height)

        override fun close() = Unit
    }
    val sink = PhotoSink { y, rows, argb -> result.setPixels(argb, 0, photo.width, 0, y, photo.width, rows) }
    factory.open(model, threads = 4).use { engine -> PhotoRestorer(engine).restore(source, sink) }
    return result
}
