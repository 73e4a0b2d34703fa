package org.anyir.demo.photo

import java.io.BufferedOutputStream
import java.io.Closeable
import java.io.File
import java.io.FileOutputStream

/**
 * Writes a result row by row as lossless PNG with the photo's colours, alpha and EXIF.
 *
 * @param source where the rows come from; at least one was read before the first is written
 */
internal class ResultWriter(file: File, private val photo: PhotoInfo, private val source: UprightSource) : Closeable {
    private val file = FileOutputStream(file)
    private val output = BufferedOutputStream(this.file, 1 shl 16)
    private val facts = FileFacts.read(photo.file)
    private var png: PngWriter? = null

    /** The next [rows] rows. A grey photo stays grey: one of its colours, which are equal, is written. */
    fun write(argb: IntArray, rows: Int) {
        val writer = png ?: PngWriter(
            output,
            source.width,
            source.height,
            source.alpha,
            source.grey,
            Colours.profile(source.colours),
            facts.exif?.let { Exif.forResult(it, source.width, source.height) },
        ).also { png = it }
        writer.write(argb, rows)
    }

    /** Ends the file and waits until it is on the disk. */
    fun finish() {
        png?.finish()
        output.flush()
        file.fd.sync()
    }

    override fun close() {
        png?.close()
        file.close()
    }
}
