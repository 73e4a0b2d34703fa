package org.anyir.demo.photo

import org.anyir.demo.R
import java.io.Closeable
import java.io.DataInputStream
import java.io.DataOutputStream
import java.io.OutputStream
import java.nio.ByteBuffer
import java.util.zip.CRC32
import java.util.zip.Deflater
import java.util.zip.DeflaterOutputStream

internal val PNG_SIGNATURE = byteArrayOf(0x89.toByte(), 0x50, 0x4e, 0x47, 0x0d, 0x0a, 0x1a, 0x0a)
private const val GREY = 0
private const val RGB = 2
private const val ALPHA = 4
private const val PAETH = 4
private const val CHUNK = 1 shl 16

/** A PNG's chunks up to its end, with the checksums of those that hold pixels. */
internal fun readPng(bytes: ByteReader): FileFacts {
    bytes.seek(PNG_SIGNATURE.size.toLong())
    var exif: ByteArray? = null
    var bits = 8
    var colour = RGB
    val buffer = ByteArray(CHUNK)
    while (true) {
        val size = bytes.u32()
        val type = bytes.text(4)
        val start = bytes.position
        when (type) {
            "IHDR" -> {
                bytes.seek(start + 8)
                bits = bytes.u8()
                colour = bytes.u8()
            }
            "acTL" -> if (bytes.u32() > 1) throw PhotoException(R.string.photo_animated)
            "eXIf" -> if (size <= MAX_EXIF) exif = Exif.withoutHeader(bytes.bytes(size.toInt()))
        }
        bytes.seek(start)
        if (type[0] in 'A'..'Z') checkChunk(bytes, type, size, buffer) else bytes.seek(start + size + 4)
        if (type == "IEND") break
    }
    val grey = colour == GREY || colour == GREY + ALPHA
    return FileFacts(PhotoFormat.PNG, exif, exif?.let { Exif.orientation(it) } ?: 1, grey, bits)
}

private fun checkChunk(bytes: ByteReader, type: String, size: Long, buffer: ByteArray) {
    val sum = CRC32()
    sum.update(type.toByteArray(Charsets.ISO_8859_1))
    var left = size
    while (left > 0) {
        val part = minOf(left, buffer.size.toLong()).toInt()
        for (i in 0 until part) buffer[i] = bytes.u8().toByte()
        sum.update(buffer, 0, part)
        left -= part
    }
    if (bytes.u32() != sum.value) throw PhotoException(R.string.photo_damaged)
}

/** The content of the first chunk of [type] in a PNG in memory, or null. */
internal fun pngChunk(png: ByteArray, type: String): ByteArray? {
    val input = DataInputStream(png.inputStream(PNG_SIGNATURE.size, png.size - PNG_SIGNATURE.size))
    while (input.available() > 0) {
        val content = ByteArray(input.readInt())
        val found = ByteArray(4).also(input::readFully).toString(Charsets.ISO_8859_1)
        input.readFully(content)
        input.readInt()
        if (found == type) return content
    }
    return null
}

/**
 * Writes an 8-bit PNG row by row, so that a picture of any size takes the memory of one row. Android's own writer wants
 * the whole picture.
 *
 * @param alpha whether the file has an alpha channel
 * @param grey whether it has one colour channel; the green one is then written
 * @param profile content of an iCCP chunk, or null for sRGB
 * @param exif a TIFF block, or null
 */
internal class PngWriter(
    output: OutputStream,
    private val width: Int,
    private val height: Int,
    private val alpha: Boolean,
    private val grey: Boolean = false,
    profile: ByteArray? = null,
    exif: ByteArray? = null,
) : Closeable {
    private val output = DataOutputStream(output)
    private val deflater = Deflater(Deflater.BEST_SPEED)
    private val pixels = DeflaterOutputStream(PixelChunks(), deflater, CHUNK)
    private val channels = (if (grey) 1 else 3) + (if (alpha) 1 else 0)
    private var above = ByteArray(width * channels)
    private var row = ByteArray(width * channels)
    private val filtered = ByteArray(1 + width * channels)
    private var written = 0

    init {
        this.output.write(PNG_SIGNATURE)
        val colour = (if (grey) GREY else RGB) + (if (alpha) ALPHA else 0)
        val header = ByteBuffer.allocate(13).putInt(width).putInt(height).put(8).put(colour.toByte())
        chunk("IHDR", header.array())
        if (profile != null) chunk("iCCP", profile) else chunk("sRGB", byteArrayOf(0))
        if (exif != null) chunk("eXIf", exif)
    }

    /** The next [rows] rows of [argb], which is not premultiplied. */
    fun write(argb: IntArray, rows: Int) {
        check(written + rows <= height)
        for (y in 0 until rows) writeRow(argb, y * width)
        written += rows
    }

    private fun writeRow(argb: IntArray, start: Int) {
        var at = 0
        for (x in start until start + width) {
            val pixel = argb[x]
            if (!grey) row[at++] = (pixel shr 16).toByte()
            row[at++] = (pixel shr 8).toByte()
            if (!grey) row[at++] = pixel.toByte()
            if (alpha) row[at++] = (pixel ushr 24).toByte()
        }
        filtered[0] = PAETH.toByte()
        for (i in row.indices) {
            val left = if (i < channels) 0 else row[i - channels].toInt() and 0xff
            val up = above[i].toInt() and 0xff
            val corner = if (i < channels) 0 else above[i - channels].toInt() and 0xff
            filtered[i + 1] = (row[i] - paeth(left, up, corner)).toByte()
        }
        pixels.write(filtered)
        row = above.also { above = row }
    }

    private fun paeth(left: Int, up: Int, corner: Int): Int {
        val toLeft = Math.abs(up - corner)
        val toUp = Math.abs(left - corner)
        val toCorner = Math.abs(left + up - 2 * corner)
        return when {
            toLeft <= toUp && toLeft <= toCorner -> left
            toUp <= toCorner -> up
            else -> corner
        }
    }

    /** Ends the file; the stream below stays open. */
    fun finish() {
        check(written == height)
        pixels.finish()
        pixels.flush()
        chunk("IEND", ByteArray(0))
        output.flush()
    }

    /** Frees the compressor. */
    override fun close() = deflater.end()

    private fun chunk(type: String, content: ByteArray, size: Int = content.size) {
        val name = type.toByteArray(Charsets.ISO_8859_1)
        val sum = CRC32()
        sum.update(name)
        sum.update(content, 0, size)
        output.writeInt(size)
        output.write(name)
        output.write(content, 0, size)
        output.writeInt(sum.value.toInt())
    }

    private inner class PixelChunks : OutputStream() {
        override fun write(byte: Int) = write(byteArrayOf(byte.toByte()), 0, 1)

        override fun write(bytes: ByteArray, offset: Int, length: Int) {
            val content = if (offset == 0) bytes else bytes.copyOfRange(offset, offset + length)
            if (length > 0) chunk("IDAT", content, length)
        }
    }
}
