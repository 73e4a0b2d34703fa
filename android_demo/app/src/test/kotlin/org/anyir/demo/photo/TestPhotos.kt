package org.anyir.demo.photo

import android.net.Uri
import org.anyir.core.PhotoSource
import org.anyir.core.Region
import java.io.File
import javax.imageio.ImageIO
import kotlin.math.log10

/** The photos that tests/fixtures/make_android_photos.py made, read without Android where they are what is expected. */
object TestPhotos {
    const val WIDTH = 47
    const val HEIGHT = 30

    fun file(name: String) = File("src/test/photos", name).also { check(it.isFile) { "$it is missing" } }

    /** ARGB pixels as Java reads them: of PNG, exactly what is in the file. */
    fun pixels(file: File): IntArray =
        ImageIO.read(file).let { it.getRGB(0, 0, it.width, it.height, null, 0, it.width) }

    /** What all photos show. */
    fun upright(): IntArray = pixels(file("upright.png"))

    /** A photo as [PhotoInbox] describes it, without the copy. */
    fun info(file: File): PhotoInfo {
        val facts = FileFacts.read(file)
        val bounds = PhotoBounds.read(file)
        val swaps = Orientation(facts.orientation).swaps
        val (width, height) = if (swaps) bounds.height to bounds.width else bounds.width to bounds.height
        return PhotoInfo(Uri.EMPTY, file.name, file, facts.format, facts.orientation, width, height, emptyList())
    }

    fun read(source: PhotoSource, region: Region = Region(0, 0, source.width, source.height)): IntArray =
        IntArray(region.width * region.height).also { source.read(region, it) }

    /** In dB over the colours of 8-bit pictures. */
    fun psnr(a: IntArray, b: IntArray): Double {
        check(a.size == b.size) { "${a.size} and ${b.size} pixels" }
        var squares = 0.0
        for (i in a.indices) {
            for (shift in intArrayOf(0, 8, 16)) {
                val difference = (a[i] shr shift and 255) - (b[i] shr shift and 255)
                squares += difference * difference
            }
        }
        val mean = squares / (3.0 * a.size)
        return if (mean == 0.0) Double.POSITIVE_INFINITY else 10 * log10(255 * 255 / mean)
    }
}
