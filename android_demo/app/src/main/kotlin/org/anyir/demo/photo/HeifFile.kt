package org.anyir.demo.photo

import org.anyir.demo.R
import java.io.EOFException

private const val MAX_META = 1L shl 22
private const val MAX_EXTENTS = 256
private val SEQUENCES = setOf("msf1", "hevc", "hevx", "avis")
private val STILLS = setOf("mif1", "heic", "heix", "heim", "heis")

/**
 * A HEIF's or AVIF's boxes: whether all of them are there, and where its EXIF lies. Rotation is a property of the
 * picture in this format, and Android's decoder applies it.
 */
internal fun readHeif(bytes: ByteReader): FileFacts {
    var format: PhotoFormat? = null
    var exif: ByteArray? = null
    var gainMap = false
    while (bytes.position < bytes.length) {
        val box = box(bytes, bytes.length)
        when (box.type) {
            "ftyp" -> format = brand(bytes, box)
            "meta" -> if (box.end - bytes.position <= MAX_META) {
                val start = bytes.position
                gainMap = "hdrgainmap" in bytes.text((box.end - start).toInt())
                bytes.seek(start + 4)
                exif = exifPlace(bytes, box.end)?.let { (at, size) -> readExif(bytes, at, size) }
            }
        }
        bytes.seek(box.end)
    }
    return FileFacts(format ?: throw PhotoException(R.string.photo_not_a_photo), exif, gainMap = gainMap)
}

private class Box(val type: String, val end: Long)

private fun box(bytes: ByteReader, limit: Long): Box {
    val start = bytes.position
    val short = bytes.u32()
    val type = bytes.text(4)
    val size = when (short) {
        0L -> limit - start
        1L -> bytes.number(8)
        else -> short
    }
    if (size < bytes.position - start || size > limit - start) throw EOFException()
    return Box(type, start + size)
}

private fun brand(bytes: ByteReader, box: Box): PhotoFormat {
    val major = bytes.text(4)
    if (major in SEQUENCES) throw PhotoException(R.string.photo_animated)
    bytes.u32()
    val brands = mutableListOf(major)
    while (bytes.position + 4 <= box.end && brands.size < 64) brands += bytes.text(4)
    return when {
        "avif" in brands -> PhotoFormat.AVIF
        brands.any { it in STILLS } -> PhotoFormat.HEIF
        else -> throw PhotoException(R.string.photo_not_a_photo)
    }
}

/** Where the item of type Exif lies in the file: its number from `iinf`, its place from `iloc`. */
private fun exifPlace(bytes: ByteReader, end: Long): Pair<Long, Long>? {
    var item: Long? = null
    var places = emptyMap<Long, Pair<Long, Long>>()
    while (bytes.position + 8 <= end) {
        val box = box(bytes, end)
        when (box.type) {
            "iinf" -> item = exifItem(bytes, box.end)
            "iloc" -> places = itemPlaces(bytes)
        }
        bytes.seek(box.end)
    }
    return places[item]
}

private fun exifItem(bytes: ByteReader, end: Long): Long? {
    val version = bytes.number(4) shr 24
    bytes.number(if (version == 0L) 2 else 4)
    var found: Long? = null
    while (bytes.position + 8 <= end) {
        val entry = box(bytes, end)
        val entryVersion = bytes.number(4) shr 24
        if (entry.type == "infe" && entryVersion >= 2) {
            val item = bytes.number(if (entryVersion == 2L) 2 else 4)
            bytes.u16()
            if (bytes.text(4) == "Exif" && found == null) found = item
        }
        bytes.seek(entry.end)
    }
    return found
}

/** (offset, size) of every item that lies in the file in one piece. */
private fun itemPlaces(bytes: ByteReader): Map<Long, Pair<Long, Long>> {
    val version = (bytes.number(4) shr 24).toInt()
    val sizes = bytes.u16()
    val (offsetSize, lengthSize, baseSize) = listOf(sizes shr 12 and 15, sizes shr 8 and 15, sizes shr 4 and 15)
    val indexSize = if (version > 0) sizes and 15 else 0
    val count = bytes.number(if (version < 2) 2 else 4)
    val places = HashMap<Long, Pair<Long, Long>>()
    for (i in 0 until minOf(count, 4096L)) {
        val item = bytes.number(if (version < 2) 2 else 4)
        val method = if (version > 0) bytes.u16() and 15 else 0
        bytes.u16()
        val base = bytes.number(baseSize)
        val extents = bytes.u16()
        if (extents > MAX_EXTENTS) throw PhotoException(R.string.photo_not_a_photo)
        repeat(extents) {
            bytes.number(indexSize)
            val offset = bytes.number(offsetSize)
            val length = bytes.number(lengthSize)
            if (extents == 1 && method == 0) places[item] = base + offset to length
        }
    }
    return places
}

/** An Exif item begins with the distance from behind that number to the TIFF block. */
private fun readExif(bytes: ByteReader, at: Long, size: Long): ByteArray? {
    if (size !in 12..MAX_EXIF) return null
    bytes.seek(at)
    val skip = bytes.u32()
    if (skip > size - 12) return null
    bytes.seek(at + 4 + skip)
    return bytes.bytes((size - 4 - skip).toInt())
}
