package org.anyir.demo.photo

import android.net.Uri
import org.junit.Assert.assertEquals
import org.junit.Assert.assertTrue
import org.junit.Rule
import org.junit.Test
import org.junit.rules.TemporaryFolder
import org.junit.runner.RunWith
import org.robolectric.RobolectricTestRunner
import org.robolectric.RuntimeEnvironment
import org.robolectric.Shadows.shadowOf
import java.io.File
import java.nio.ByteBuffer
import java.util.zip.CRC32
import kotlin.random.Random

/** Files that are broken in every way, through everything that reads a photo. Seeded: a failure can be repeated. */
@RunWith(RobolectricTestRunner::class)
class FuzzTest {
    @get:Rule
    val temporary = TemporaryFolder()

    private val samples = File("src/test/photos").listFiles()!!.filter { it.length() < 5000 }.sortedBy { it.name }

    @Test
    fun `nine and a half thousand broken photos are opened, or refused with one sentence`() {
        val app = RuntimeEnvironment.getApplication()
        val uri = Uri.parse("content://elsewhere/photo")
        val target = File(temporary.root, "photo")
        val outcomes = HashMap<String, Int>()
        var slowest = 0L to ""
        for (case in 0 until CASES) {
            val start = System.nanoTime()
            val random = Random(case)
            val sample = samples[case % samples.size]
            shadowOf(app.contentResolver).registerInputStream(uri, mutated(sample.readBytes(), random).inputStream())
            val outcome = try {
                val photo = PhotoInbox(app, target).take(uri)
                if (photo.megapixels < 0.1) use(photo) // more would only take time
                "read"
            } catch (error: PhotoException) {
                val sentence = error.sentence.text(app.resources)
                assertTrue("case $case of ${sample.name}: $sentence", sentence.endsWith("."))
                sentence
            } catch (error: Throwable) {
                throw AssertionError("case $case of ${sample.name}", error)
            }
            outcomes.merge(outcome, 1, Int::plus)
            val nanos = System.nanoTime() - start
            if (nanos > slowest.first) slowest = nanos to "case $case of ${sample.name}"
        }
        println("slowest: ${slowest.second}, ${slowest.first / 1_000_000} ms")
        println(outcomes.entries.sortedByDescending { it.value }.joinToString("\n") { "${it.value} x ${it.key}" })
        assertEquals(CASES, outcomes.values.sum())
        assertTrue("many are read", outcomes.getValue("read") > CASES / 10)
        assertTrue("many are refused, for several reasons", outcomes.size > 5)
        assertEquals("no half of a file is left", setOf("photo"), temporary.root.list()!!.toSet())
    }

    /** All that is done with a photo but the model: decoded upright, written as a result, encoded with its EXIF. */
    private fun use(photo: PhotoInfo) {
        val result = File(temporary.root, "result.png")
        UprightSource.open(photo, half = false).use { source ->
            val pixels = TestPhotos.read(source)
            ResultWriter(result, photo, source).use { writer ->
                writer.write(pixels, source.height)
                writer.finish()
            }
            val encoded = File(temporary.root, "encoded")
            val encoder = ResultEncoder(photo, result, source.width, source.height, half = false, strength = 0.5f)
            encoded.outputStream().use { encoder.write(it, temporary.root) }
            assertEquals(encoder.format, FileFacts.read(encoded).format)
            encoded.delete()
        }
        result.delete()
    }

    private fun mutated(bytes: ByteArray, random: Random): ByteArray {
        var result = bytes
        repeat(1 + random.nextInt(4)) {
            if (result.isEmpty()) return result
            // Headers decide more than pixels, so half of the changes are there.
            val at = random.nextInt(if (random.nextBoolean()) minOf(160, result.size) else result.size)
            result = when (random.nextInt(6)) {
                0 -> result.copyOf(at)
                1 -> {
                    val rest = minOf(result.size, at + 1 + random.nextInt(16))
                    result.copyOf(at) + result.copyOfRange(rest, result.size)
                }
                2 -> {
                    val inserted = random.nextBytes(1 + random.nextInt(16))
                    result.copyOf(at) + inserted + result.copyOfRange(at, result.size)
                }
                3 -> result.copyOf().also { it[at] = EXTREMES.random(random) }
                4 -> result.copyOf().also { copy -> for (i in at until minOf(copy.size, at + 4)) copy[i] = -1 }
                else -> result.copyOf().also { it[at] = (it[at].toInt() xor (1 shl random.nextInt(8))).toByte() }
            }
        }
        return if (random.nextBoolean()) withChecksums(result) else result
    }

    /** The checksums of a PNG's chunks put right, so that the changes reach the decoder. */
    private fun withChecksums(bytes: ByteArray): ByteArray {
        if (!bytes.copyOf(8).contentEquals(PNG_SIGNATURE)) return bytes
        val png = ByteBuffer.wrap(bytes)
        var at = 8
        while (at + 12 <= bytes.size) {
            val size = png.getInt(at)
            if (size < 0 || size > bytes.size - at - 12) break
            val sum = CRC32().apply { update(bytes, at + 4, size + 4) }
            png.putInt(at + 8 + size, sum.value.toInt())
            at += 12 + size
        }
        return bytes
    }

    private companion object {
        const val CASES = 9_500
        val EXTREMES = listOf<Byte>(0, 1, 2, 127, -128, -2, -1)
    }
}
