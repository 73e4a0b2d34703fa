package org.anyir.demo.photo

import org.anyir.demo.R
import org.junit.Assert.assertEquals
import org.junit.Assert.assertTrue
import org.junit.Rule
import org.junit.Test
import org.junit.rules.TemporaryFolder
import java.nio.ByteBuffer

/** What is told of the depth and the gain map of HEIF and AVIF, of files that hold boxes and no pixels. */
class HeifFactsTest {
    @get:Rule
    val temporary = TemporaryFolder()

    private fun box(type: String, vararg content: ByteArray): ByteArray {
        val all = content.fold(ByteArray(0)) { before, next -> before + next }
        return ByteBuffer.allocate(8 + all.size).putInt(8 + all.size).put(type.toByteArray()).put(all).array()
    }

    private fun bytes(vararg values: Int) = ByteArray(values.size) { values[it].toByte() }

    private fun pixi(bits: Int) = box("pixi", bytes(0, 0, 0, 0, 3, bits, bits, bits))

    private fun hevc(bits: Int) = box("hvcC", ByteArray(17), bytes(0xf8 or bits - 8, 0xf8, 0, 0))

    private fun av1(flags: Int) = box("av1C", bytes(0x81, 0, flags, 0))

    private fun item(number: Int, type: String) = box("infe", bytes(2, 0, 0, 0, 0, number, 0, 0), type.toByteArray())

    /** Item 1 is shown; [own] are the places of its properties, counted from 1. */
    private fun facts(
        properties: List<ByteArray>,
        own: List<Int>,
        types: List<String> = listOf("hvc1"),
        brand: String = "heic",
    ): FileFacts {
        val owners = box("ipma", bytes(0, 0, 0, 0, 0, 0, 0, 1, 0, 1, own.size), bytes(*own.toIntArray()))
        val items = types.mapIndexed { at, type -> item(at + 1, type) }
        val meta = box(
            "meta",
            ByteArray(4),
            box("pitm", bytes(0, 0, 0, 0, 0, 1)),
            box("iinf", bytes(0, 0, 0, 0, 0, types.size), *items.toTypedArray()),
            box("iprp", box("ipco", *properties.toTypedArray()), owners),
        )
        val file = temporary.newFile()
        file.writeBytes(box("ftyp", brand.toByteArray(), ByteArray(4)) + meta)
        return FileFacts.read(file)
    }

    @Test
    fun `more than 8 bits are noticed, and the user is told`() {
        assertEquals(10, facts(listOf(pixi(10)), listOf(1)).bits)
        assertEquals(10, facts(listOf(hevc(10)), listOf(0x81)).bits)
        assertEquals(10, facts(listOf(av1(0x40)), listOf(1), listOf("av01"), "avif").bits)
        assertEquals(12, facts(listOf(av1(0x60)), listOf(1), listOf("av01"), "avif").bits)
        val notes = facts(listOf(pixi(10)), listOf(1)).notes
        assertTrue("$notes", Sentence(R.plurals.note_bits, listOf(10)) in notes)
    }

    @Test
    fun `8 bits are 8, and so is what says nothing`() {
        assertEquals(8, facts(listOf(pixi(8), hevc(8)), listOf(1, 2)).bits)
        assertEquals(8, facts(listOf(av1(0x0c)), listOf(1), listOf("av01"), "avif").bits)
        assertEquals(8, facts(emptyList(), emptyList()).bits)
        assertEquals(8, FileFacts.read(TestPhotos.file("photo.avif")).bits)
    }

    @Test
    fun `the depth is that of the picture that is shown`() {
        assertEquals("another picture is deeper", 8, facts(listOf(pixi(10), pixi(8)), listOf(2)).bits)
        assertEquals("its tiles tell", 10, facts(listOf(box("ispe"), hevc(10)), listOf(1), listOf("grid", "hvc1")).bits)
    }

    @Test
    fun `an ISO gain map is noticed`() {
        val facts = facts(listOf(pixi(8)), listOf(1), listOf("hvc1", "hvc1", "tmap"))
        assertTrue(facts.gainMap)
        assertTrue(Sentence(R.string.note_gain_map) in facts.notes)
        assertTrue(!facts(listOf(pixi(8)), listOf(1)).gainMap)
    }
}
