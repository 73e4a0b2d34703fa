package org.anyir.demo.photo

import org.anyir.demo.R
import java.io.EOFException

/** A GIF's blocks, to count its pictures. Many writers leave its last byte out; that alone is no damage. */
internal fun readGif(bytes: ByteReader): FileFacts {
    bytes.seek(10)
    val flags = bytes.u8()
    bytes.seek(13L + colourTable(flags))
    var pictures = 0
    while (pictures == 0 || bytes.position < bytes.length) {
        when (bytes.u8()) {
            GIF_EXTENSION -> bytes.u8()
            GIF_PICTURE -> {
                if (++pictures > 1) throw PhotoException(R.string.photo_animated)
                bytes.seek(bytes.position + 8)
                val local = bytes.u8()
                bytes.seek(bytes.position + colourTable(local) + 1)
            }
            else -> break
        }
        var block = bytes.u8()
        while (block != 0) {
            bytes.seek(bytes.position + block)
            block = bytes.u8()
        }
    }
    if (pictures == 0) throw PhotoException(R.string.photo_not_a_photo)
    return FileFacts(PhotoFormat.GIF)
}

private const val GIF_EXTENSION = 0x21
private const val GIF_PICTURE = 0x2c

private fun colourTable(flags: Int): Int = if (flags and 0x80 != 0) 3 shl ((flags and 7) + 1) else 0

/** A BMP: whether all rows of an uncompressed one are there. */
internal fun readBmp(bytes: ByteReader): FileFacts {
    bytes.seek(10)
    val pixels = bytes.u32le()
    val old = bytes.u32le() == 12L
    val width = if (old) bytes.u16le().toLong() else bytes.u32le()
    val height = if (old) bytes.u16le().toLong() else Math.abs(bytes.u32le().toInt().toLong())
    bytes.u16le()
    val bits = bytes.u16le()
    val compressed = !old && bytes.u32le() in setOf(1L, 2L, 4L, 5L)
    val rowBytes = (width * bits + 31) / 32 * 4
    if (!compressed && height > 0 && rowBytes > (bytes.length - pixels) / height) throw EOFException()
    return FileFacts(PhotoFormat.BMP)
}
