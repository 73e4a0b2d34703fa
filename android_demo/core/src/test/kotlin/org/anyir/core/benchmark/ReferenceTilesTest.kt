package org.anyir.core.benchmark

import org.anyir.core.percentile
import org.junit.Assert.assertEquals
import org.junit.Assert.assertThrows
import org.junit.Assert.assertTrue
import org.junit.Test
import java.nio.FloatBuffer
import kotlin.math.log10
import kotlin.math.sqrt

class ReferenceTilesTest {
    private val size = 3 * 8 * 8
    private fun buffer() = FloatBuffer.allocate(size)

    @Test
    fun `inputs are bytes over 255, truths are found, outputs come in order`() {
        val reference = SmallReference()
        val tiles = reference.open()
        val input = buffer()
        val output = buffer()
        val truth = buffer()
        tiles.outputs().use { outputs ->
            for (case in 0 until 4) {
                tiles.input(case, input)
                outputs.read(output)
                for (i in 0 until size) {
                    assertEquals((reference.files["inputs.u8"]!![case * size + i].toInt() and 255) / 255f, input[i], 0f)
                    assertEquals(input[i], output[i], 0f)
                }
            }
        }
        tiles.truth(1, truth)
        tiles.input(3, input)
        assertEquals(input[5], truth[5], 0f)
        assertEquals("small", tiles.summary["weights"].asString)
    }

    @Test
    fun `a set that is missing, changed or cut short is refused with one sentence`() {
        val faults = mapOf<String, (SmallReference) -> Unit>(
            "There are no reference tiles in this build" to { it.files.remove("reference.json") },
            "their index is not by its schema" to { it.files["reference.json"] = "{".toByteArray() },
            "their index is not by its schema " to { it.files["reference.json"] = "[]".toByteArray() },
            "inputs.u8 was changed" to { it.files["inputs.u8"]!![7]++ },
            "truths.u8 was changed" to { it.files["truths.u8"]!![7]++ },
            "they cannot be read" to { it.files["inputs.u8"] = ByteArray(10) },
            "of another version" to { reference ->
                val text = reference.files["reference.json"]!!.toString(Charsets.UTF_8)
                reference.files["reference.json"] = text.replace("\"schema\":1", "\"schema\":2").toByteArray()
            },
        )
        for ((message, spoil) in faults) {
            val error = assertThrows(message, ReferenceException::class.java) { SmallReference().apply(spoil).open() }
            assertTrue("${error.message}", message.trim() in error.message!!)
        }
        val short = SmallReference().apply { files["outputs.f32"] = files["outputs.f32"]!!.copyOf(5) }.open()
        val error = assertThrows(ReferenceException::class.java) { short.outputs().read(buffer()) }
        assertTrue("outputs.f32 is too short" in error.message!!)
    }

    @Test
    fun `outputs are compared as on the host`() {
        val comparison = Comparison(tile = 8)
        val expected = buffer().apply { for (i in 0 until size) put(i, 0.5f) }
        val made = buffer().apply { for (i in 0 until size) put(i, if (i % 2 == 0) 0.5f else 0.6f) }
        made.put(0, 1.5f) // clipped to 1 but for the largest error
        val truth = buffer().apply { for (i in 0 until size) put(i, 0.25f) }
        comparison.add("noise", made, expected, truth)
        comparison.add("noise", expected, expected, truth)
        comparison.add("clean", expected, expected, expected)
        val quality = comparison.quality()
        val noise = quality["noise"].asJsonObject
        val squares = (0.25 + (size / 2) * 0.01) / (2 * size)
        assertEquals(10 * log10(1 / squares), noise["psnr_reference"].asDouble, 1e-4)
        assertEquals(1.0, noise["max_error_reference"].asDouble, 1e-6)
        val first = (0.5625 + (size / 2 - 1) * 0.0625 + (size / 2) * 0.1225) / size
        val expectedPsnr = (10 * log10(1 / first) + 10 * log10(1 / 0.0625)) / 2
        assertEquals(expectedPsnr, noise["psnr_truth"].asDouble, 1e-4)
        assertTrue(quality["clean"].asJsonObject["psnr_reference"].isJsonNull)
        assertEquals(64, comparison.outputSha256().length)
    }

    @Test
    fun `one tile that equals the truth counts as 100 dB, all of them as identical`() {
        val comparison = Comparison(tile = 8)
        val truth = buffer().apply { for (i in 0 until size) put(i, 0.25f) }
        val made = buffer().apply { for (i in 0 until size) put(i, 0.35f) }
        comparison.add("noise", truth, truth, truth)
        comparison.add("noise", made, truth, truth)
        comparison.add("clean", truth, truth, truth)
        val quality = comparison.quality()
        assertEquals((100.0 + 20.0) / 2, quality["noise"].asJsonObject["psnr_truth"].asDouble, 1e-4)
        assertTrue(quality["clean"].asJsonObject["psnr_truth"].isJsonNull)
    }

    @Test
    fun `NaN and infinity are refused`() {
        for (value in listOf(Float.NaN, Float.POSITIVE_INFINITY)) {
            val made = buffer().apply { put(9, value) }
            val error = assertThrows(NotFiniteException::class.java) {
                Comparison(tile = 8).add("rain", made, buffer(), buffer())
            }
            assertEquals("returns NaN or infinity for rain", error.message)
        }
    }

    @Test
    fun `percentiles are numpy's`() {
        val samples = listOf(4.0, 1.0, 3.0, 2.0)
        assertEquals(2.5, percentile(samples, 50.0), 1e-12)
        assertEquals(3.7, percentile(samples, 90.0), 1e-12)
        assertEquals(3.97, percentile(samples, 99.0), 1e-12)
        assertEquals(sqrt(2.0), percentile(listOf(sqrt(2.0)), 99.0), 0.0)
    }
}
