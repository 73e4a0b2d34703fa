package org.anyir.demo.photo

import org.anyir.demo.R
import java.io.EOFException
import java.io.File
import java.io.IOException
import java.io.OutputStream
import java.nio.ByteBuffer
import java.nio.ByteOrder

private const val WEBP_ANIMATION = 0x02
private const val WEBP_EXIF = 0x08
private const val WEBP_ALPHA = 0x10
private const val HEADER = 12L

/** A WebP's chunks: EXIF, and whether it moves. */
internal fun readWebp(bytes: ByteReader): FileFacts {
    bytes.seek(4)
    val end = bytes.u32le() + 8
    if (end > bytes.length) throw EOFException()
    bytes.seek(12)
    var exif: ByteArray? = null
    while (bytes.position + 8 <= end) {
        val type = bytes.text(4)
        val size = bytes.u32le()
        val start = bytes.position
        if (type == "VP8X" && bytes.u8() and WEBP_ANIMATION != 0) throw PhotoException(R.string.photo_animated)
        // Some writers put JPEG's header before the block.
        if (type == "EXIF" && size in 8..MAX_EXIF) exif = Exif.withoutHeader(bytes.bytes(size.toInt()))
        bytes.seek(start + size)
        if (size % 2 == 1L && bytes.position < end) bytes.u8()
    }
    return FileFacts(PhotoFormat.WEBP, exif, exif?.let { Exif.orientation(it) } ?: 1)
}

/** More than any camera writes; larger blocks are not metadata but an attempt to fill the memory. */
internal const val MAX_EXIF = 1L shl 20

/**
 * Copies the WebP [file] to [output] with [exif] (a TIFF block) at its end, where the format wants it. Android writes
 * either the simple format, which has no place for EXIF and is extended here, or the extended one.
 */
internal fun copyWebpWithExif(file: File, exif: ByteArray?, output: OutputStream) {
    if (exif == null) {
        file.inputStream().use { it.copyTo(output) }
        return
    }
    ByteReader(file).use { bytes ->
        bytes.seek(HEADER)
        val extended = bytes.text(4) == "VP8X"
        if (extended) bytes.u32le()
        val header = if (extended) bytes.bytes(10) else extend(bytes)
        header[0] = (header[0].toInt() or WEBP_EXIF).toByte()
        val rest = if (extended) HEADER + 8 + 10 else HEADER
        val padded = exif.size + exif.size % 2
        val size = 4 + 8 + 10 + (bytes.length - rest) + 8 + padded
        if (size > Int.MAX_VALUE) throw IOException("a WebP has at most 2 GB")
        output.write(little(20).put("RIFF".latin()).putInt(size.toInt()).put("WEBPVP8X".latin()).putInt(10).array())
        output.write(header)
        file.inputStream().use { input ->
            var skip = rest
            while (skip > 0) skip -= input.skip(skip)
            input.copyTo(output)
        }
        output.write(little(8).put("EXIF".latin()).putInt(exif.size).array())
        output.write(exif.copyOf(padded))
    }
}

/** The content of a VP8X chunk for a file in the simple lossless format: flags, width - 1, height - 1. */
private fun extend(bytes: ByteReader): ByteArray {
    bytes.seek(HEADER)
    if (bytes.text(4) != "VP8L") throw IOException("not a lossless WebP")
    bytes.u32le()
    bytes.u8()
    val shape = bytes.u32le()
    val width = (shape and 0x3fff).toInt()
    val height = (shape shr 14 and 0x3fff).toInt()
    val alpha = if (shape shr 28 and 1 == 1L) WEBP_ALPHA else 0
    return little(10).putInt(alpha).putShort(width.toShort()).put(0).putShort(height.toShort()).put(0).array()
}

private fun little(size: Int) = ByteBuffer.allocate(size).order(ByteOrder.LITTLE_ENDIAN)

private fun String.latin() = toByteArray(Charsets.ISO_8859_1)
