package org.anyir.demo.photo

import org.anyir.demo.R
import java.io.EOFException

private const val MAX_META = 1L shl 22
private const val MAX_EXTENTS = 256
private val SEQUENCES = setOf("msf1", "hevc", "hevx", "avis")
private const val APPLE_GAIN_MAP = "hdrgainmap"
private const val ISO_GAIN_MAP = "tmap"
private val STILLS = setOf("mif1", "heic", "heix", "heim", "heis")

/**
 * A HEIF's or AVIF's boxes: whether all of them are there, its EXIF, depth and gain map. Rotation is a property of the
 * picture in this format, and Android's decoder applies it.
 */
internal fun readHeif(bytes: ByteReader): FileFacts {
    var format: PhotoFormat? = null
    var exif: ByteArray? = null
    var bits = 8
    var gainMap = false
    while (bytes.position < bytes.length) {
        val box = box(bytes, bytes.length)
        when (box.type) {
            "ftyp" -> format = brand(bytes, box)
            "meta" -> if (box.end - bytes.position <= MAX_META) {
                val start = bytes.position
                val apple = APPLE_GAIN_MAP in bytes.text((box.end - start).toInt())
                bytes.seek(start + 4)
                val items = items(bytes, box.end)
                bits = items.bits
                gainMap = apple || ISO_GAIN_MAP in items.types.values
                exif = items.exifPlace?.let { (at, size) -> readExif(bytes, at, size) }
            }
        }
        bytes.seek(box.end)
    }
    return FileFacts(format ?: throw PhotoException(R.string.photo_not_a_photo), exif, bits = bits, gainMap = gainMap)
}

internal class Box(val type: String, val end: Long)

/** The box that begins here, within [limit]; its content is next. */
internal fun box(bytes: ByteReader, limit: Long): Box {
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

/** What a file holds: pictures and blocks of data, each with a number. */
private class Items(
    val types: Map<Long, String>,
    private val places: Map<Long, Pair<Long, Long>>,
    /** A channel of the picture that is shown. */
    val bits: Int,
) {
    /** (offset, size) of its EXIF, or null. */
    val exifPlace: Pair<Long, Long>? get() = places[types.entries.firstOrNull { it.value == "Exif" }?.key]
}

private fun items(bytes: ByteReader, end: Long): Items {
    var types = emptyMap<Long, String>()
    var places = emptyMap<Long, Pair<Long, Long>>()
    var shown = 0L
    var properties = HeifProperties()
    while (bytes.position + 8 <= end) {
        val box = box(bytes, end)
        when (box.type) {
            "iinf" -> types = itemTypes(bytes, box.end)
            "iloc" -> places = itemPlaces(bytes)
            "pitm" -> shown = bytes.number(if (bytes.number(4) shr 24 == 0L) 2 else 4)
            "iprp" -> properties = readHeifProperties(bytes, box.end)
        }
        bytes.seek(box.end)
    }
    return Items(types, places, properties.bits(shown))
}

private fun itemTypes(bytes: ByteReader, end: Long): Map<Long, String> {
    val version = bytes.number(4) shr 24
    bytes.number(if (version == 0L) 2 else 4)
    val types = LinkedHashMap<Long, String>()
    while (bytes.position + 8 <= end) {
        val entry = box(bytes, end)
        val entryVersion = bytes.number(4) shr 24
        if (entry.type == "infe" && entryVersion >= 2) {
            val item = bytes.number(if (entryVersion == 2L) 2 else 4)
            bytes.u16()
            types[item] = bytes.text(4)
        }
        bytes.seek(entry.end)
    }
    return types
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
