package org.anyir.demo.photo

import android.net.Uri
import java.io.File

/**
 * A photo that was chosen. The app works on a private copy of it, so that it can be deleted, and the permission
 * to read it can end, while it is restored.
 *
 * @property uri where it came from
 * @property name its display name, such as `IMG_1234.jpg`
 * @property file the private copy, byte for byte
 * @property format of the file
 * @property orientation EXIF's 1..8, how the picture lies in the file
 * @property width in pixels, upright (EXIF orientation applied)
 * @property height in pixels, upright
 * @property notes sentences that the user should see before restoring, such as what will be lost
 */
class PhotoInfo(
    val uri: Uri,
    val name: String,
    val file: File,
    val format: PhotoFormat,
    val orientation: Int,
    val width: Int,
    val height: Int,
    val notes: List<String>,
) {
    val megapixels: Double get() = width.toDouble() * height / 1e6

    /** As sentences say it. */
    val roundMegapixels: Int get() = Math.round(megapixels).toInt()

    /** Whether it is larger than the app restores, so that only half its width and height is offered. */
    val onlyHalfSize: Boolean get() = width.toLong() * height > MAX_PIXELS

    companion object {
        const val MAX_MEGAPIXELS = 50

        /** The largest photo that is restored, in pixels. */
        const val MAX_PIXELS = MAX_MEGAPIXELS * 1_000_000L
    }
}

/** The formats that are read, and [saved], the one that a result is saved in. */
enum class PhotoFormat(val label: String, val mimeType: String) {
    JPEG("JPEG", "image/jpeg"),
    PNG("PNG", "image/png"),
    WEBP("WebP", "image/webp"),
    HEIF("HEIF", "image/heif"),
    AVIF("AVIF", "image/avif"),
    GIF("GIF", "image/gif"),
    BMP("BMP", "image/bmp"),
    ;

    /** Of the same family, among those that Android writes: JPEG for cameras' formats, else one without loss. */
    val saved: PhotoFormat
        get() = when (this) {
            JPEG, HEIF, AVIF -> JPEG
            WEBP -> WEBP
            PNG, GIF, BMP -> PNG
        }

    val extension: String get() = if (this == JPEG) "jpg" else name.lowercase()
}
