package org.anyir.demo.photo

private const val MAX_ITEMS = 4096L

/** Where `hvcC` has the bits of a luma sample, less 8. */
private const val HEVC_BITS_AT = 17
private const val AV1_DEEP = 0x40
private const val AV1_TWELVE = 0x20

/**
 * What a HEIF or AVIF says of the depth of its pictures.
 *
 * @param told bits a channel, of each property in the file's order; null for one that tells nothing
 * @param decoders those of the [told] that come from a decoder's settings
 * @param of the properties of each item, by their places in [told]
 */
internal class HeifProperties(
    private val told: List<Int?> = emptyList(),
    private val decoders: List<Int> = emptyList(),
    private val of: Map<Long, List<Int>> = emptyMap(),
) {
    /** A channel of [item]. A picture made of tiles may say nothing itself; its tiles' decoder does. */
    fun bits(item: Long): Int = of[item].orEmpty().mapNotNull { told.getOrNull(it) }.maxOrNull()
        ?: decoders.maxOrNull()
        ?: 8
}

/** Reads the content of an `iprp` box. */
internal fun readHeifProperties(bytes: ByteReader, end: Long): HeifProperties {
    val told = mutableListOf<Int?>()
    val decoders = mutableListOf<Int>()
    val of = HashMap<Long, List<Int>>()
    while (bytes.position + 8 <= end) {
        val box = box(bytes, end)
        when (box.type) {
            "ipco" -> while (bytes.position + 8 <= box.end) {
                val property = box(bytes, box.end)
                val bits = bitsOf(bytes, property)
                told += bits
                if (bits != null && property.type != "pixi") decoders += bits
                bytes.seek(property.end)
            }
            "ipma" -> readOwners(bytes, box.end, of)
        }
        bytes.seek(box.end)
    }
    return HeifProperties(told, decoders, of)
}

private fun bitsOf(bytes: ByteReader, property: Box): Int? = when (property.type) {
    "pixi" -> {
        bytes.u32()
        val channels = minOf(bytes.u8().toLong(), property.end - bytes.position).toInt()
        bytes.bytes(channels).maxOfOrNull { it.toInt() and 0xff }
    }
    "hvcC" -> {
        bytes.bytes(HEVC_BITS_AT)
        8 + (bytes.u8() and 7)
    }
    "av1C" -> {
        bytes.bytes(2)
        val flags = bytes.u8()
        when {
            flags and AV1_DEEP == 0 -> 8
            flags and AV1_TWELVE == 0 -> 10
            else -> 12
        }
    }
    else -> null
}

/** Which properties, counted from 1 in the file, belong to which item. The first bit of each says whether it must. */
private fun readOwners(bytes: ByteReader, end: Long, of: MutableMap<Long, List<Int>>) {
    val head = bytes.u32()
    val wideItems = head shr 24 > 0
    val wideProperties = head and 1 == 1L
    for (i in 0 until minOf(bytes.u32(), MAX_ITEMS)) {
        if (bytes.position >= end) return
        val item = bytes.number(if (wideItems) 4 else 2)
        val count = bytes.u8()
        of[item] = of[item].orEmpty() + List(count) {
            (if (wideProperties) bytes.u16() and 0x7fff else bytes.u8() and 0x7f) - 1
        }
    }
}
