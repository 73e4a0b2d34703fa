package org.anyir.demo.photo

import org.junit.Assert.assertArrayEquals
import org.junit.Assert.assertEquals
import org.junit.Assert.assertNotNull
import org.junit.Assert.assertNull
import org.junit.Assert.assertTrue
import org.junit.Test
import java.nio.ByteBuffer
import java.nio.ByteOrder

class ExifTest {
    private val tiff = FileFacts.read(TestPhotos.file("turned.jpg")).exif!!

    @Test
    fun `a result is upright, has its size, and keeps everything else`() {
        val result = Exif.forResult(tiff, 123, 45)!!
        assertEquals(1, Exif.orientation(result))
        assertEquals(tiff.size, result.size)
        assertEquals(setOf(123L, 45L), numbers(result, setOf(0xa002, 0xa003)).values.toSet())
        val text = String(result, Charsets.ISO_8859_1)
        assertTrue("AnyIR" in text && "2026:01:02 03:04:05" in text && "a maker's own" in text)
        assertEquals("the original is not touched", 6, Exif.orientation(tiff))
    }

    @Test
    fun `the thumbnail's directory is left out`() {
        val block = block(ByteOrder.BIG_ENDIAN, nextDirectory = 26)
        val result = ByteBuffer.wrap(Exif.forResult(block, 1, 1)!!)
        assertEquals(0, result.getInt(8 + 2 + 12))
        assertEquals(1, Exif.orientation(result.array()))
    }

    @Test
    fun `the thumbnail's bytes are erased, and the main directory has the new size`() {
        for (order in ORDERS) {
            val result = ByteBuffer.wrap(Exif.forResult(withThumbnail(order), 70_000, 45)!!).order(order)
            assertEquals("a short became a long", 4, result.getShort(12).toInt())
            assertEquals(70_000, result.getInt(18))
            assertEquals(45, result.getInt(30))
            assertEquals(0, result.getInt(34))
            assertEquals("text", String(result.array(), 38, 4))
            assertArrayEquals(ByteArray(8), result.array().copyOfRange(72, 80))
            assertEquals("text", String(result.array(), 80, 4))
        }
    }

    @Test
    fun `a directory that lies about its thumbnail costs no tag and no text`() {
        for (order in ORDERS) {
            for (place in listOf(-1, 0, 8, 38, 81, 83, 84, Int.MAX_VALUE)) {
                val lying = withThumbnail(order, place)
                val result = Exif.forResult(lying, 70_000, 45)!!
                assertEquals("$place", "text", String(result, 38, 4))
                assertEquals("$place", 45, ByteBuffer.wrap(result).order(order).getInt(30))
            }
            val huge = Exif.forResult(withThumbnail(order, bytes = Int.MAX_VALUE), 70_000, 45)!!
            assertArrayEquals("up to the end", ByteArray(12), huge.copyOfRange(72, 84))
            val nowhere = withThumbnail(order).also { ByteBuffer.wrap(it).order(order).putInt(34, 1000) }
            assertEquals("text", String(Exif.forResult(nowhere, 1, 1)!!, 80, 4))
        }
    }

    @Test
    fun `a text that a thumbnail claims as its own is kept`() {
        for (order in ORDERS) {
            val block = withThumbnail(order, bytes = Int.MAX_VALUE)
            ByteBuffer.wrap(block).order(order).putShort(10, 0x010f).putShort(12, 2).putInt(14, 8).putInt(18, 76)
            val result = Exif.forResult(block, 1, 1)!!
            assertArrayEquals(ByteArray(4), result.copyOfRange(72, 76))
            assertArrayEquals(block.copyOfRange(76, 84), result.copyOfRange(76, 84))
        }
    }

    @Test
    fun `an uncompressed thumbnail is erased too`() {
        for (order in ORDERS) {
            val block = withThumbnail(order)
            ByteBuffer.wrap(block).order(order).putShort(44, 0x0111).putShort(56, 0x0117)
            val result = Exif.forResult(block, 1, 1)!!
            assertArrayEquals(ByteArray(8), result.copyOfRange(72, 80))

            val lying = block.copyOf().also { ByteBuffer.wrap(it).order(order).putInt(52, 0).putInt(64, 84) }
            val kept = Exif.forResult(lying, 1, 1)!!
            assertArrayEquals("header and tags", result.copyOf(34), kept.copyOf(34))
        }
    }

    @Test
    fun `both byte orders are read`() {
        for (order in ORDERS) {
            assertEquals(8, Exif.orientation(block(order, nextDirectory = 0)))
        }
    }

    @Test
    fun `a damaged block says nothing and throws nothing`() {
        assertEquals(1, Exif.orientation(ByteArray(0)))
        assertEquals(1, Exif.orientation("no TIFF".toByteArray()))
        assertNull(Exif.forResult("no TIFF".toByteArray(), 1, 1))
        for (length in 0 until tiff.size) Exif.forResult(tiff.copyOf(length), 1, 1)
        val pointsOutside = block(ByteOrder.BIG_ENDIAN, nextDirectory = 0).also {
            ByteBuffer.wrap(it).putInt(4, Int.MAX_VALUE)
        }
        assertEquals(1, Exif.orientation(pointsOutside))
    }

    @Test
    fun `JPEG's header is taken off where a writer put it`() {
        val header = "Exif\u0000\u0000".toByteArray(Charsets.ISO_8859_1)
        assertArrayEquals(tiff, Exif.withoutHeader(header + tiff))
        assertArrayEquals(tiff, Exif.withoutHeader(tiff))
        assertNotNull(Exif.withoutHeader(ByteArray(0)))
    }

    /** A block with one entry, orientation 8. */
    private fun block(order: ByteOrder, nextDirectory: Int): ByteArray {
        val block = ByteBuffer.allocate(32).order(order)
        block.put((if (order == ByteOrder.BIG_ENDIAN) "MM" else "II").toByteArray()).putShort(42).putInt(8)
        block.putShort(1).putShort(0x0112).putShort(3).putInt(1).putShort(8).putShort(0).putInt(nextDirectory)
        return block.array()
    }

    /** Width (a short at 10) and height (a long at 22), "text" at 38, a thumbnail at 72, and "text" behind it. */
    private fun withThumbnail(order: ByteOrder, place: Int = 72, bytes: Int = 8): ByteArray {
        val block = ByteBuffer.allocate(84).order(order)
        block.put((if (order == ByteOrder.BIG_ENDIAN) "MM" else "II").toByteArray()).putShort(42).putInt(8)
        block.putShort(2)
        block.putShort(0x0100).putShort(3).putInt(1).putShort(640).putShort(0)
        block.putShort(0x0101).putShort(4).putInt(1).putInt(480)
        block.putInt(42).put("text".toByteArray())
        block.putShort(2)
        block.putShort(0x0201).putShort(4).putInt(1).putInt(place)
        block.putShort(0x0202).putShort(4).putInt(1).putInt(bytes)
        block.putInt(0)
        block.put(byteArrayOf(-1, 0xd8.toByte(), 1, 2, 3, 4, -1, 0xd9.toByte())).put("text".toByteArray())
        return block.array()
    }

    /** The numbers of the EXIF directory's entries, found without the code that is tested. */
    private fun numbers(tiff: ByteArray, tags: Set<Int>): Map<Int, Long> {
        val block = ByteBuffer.wrap(tiff).order(
            if (tiff[0] ==
                'I'.code.toByte()
            ) {
                ByteOrder.LITTLE_ENDIAN
            } else {
                ByteOrder.BIG_ENDIAN
            },
        )
        return (8 until tiff.size - 12 step 2).associate { at ->
            val tag = block.getShort(at).toInt() and 0xffff
            val type = block.getShort(at + 2).toInt()
            tag to if (type == 3) block.getShort(at + 8).toLong() else block.getInt(at + 8).toLong()
        }.filterKeys { it in tags }
    }

    private companion object {
        val ORDERS = listOf(ByteOrder.BIG_ENDIAN, ByteOrder.LITTLE_ENDIAN)
    }
}
