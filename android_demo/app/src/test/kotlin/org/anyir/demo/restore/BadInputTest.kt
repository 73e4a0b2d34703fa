package org.anyir.demo.restore

import android.net.Uri
import org.anyir.demo.R
import org.anyir.demo.photo.PhotoException
import org.anyir.demo.photo.PhotoInbox
import org.anyir.demo.photo.PhotoInfo
import org.anyir.demo.photo.TestPhotos
import org.anyir.engines.EngineException
import org.junit.Assert.assertEquals
import org.junit.Assert.assertFalse
import org.junit.Assert.assertSame
import org.junit.Assert.assertThrows
import org.junit.Assert.assertTrue
import org.junit.Assume.assumeTrue
import org.junit.Rule
import org.junit.Test
import org.junit.runner.RunWith
import org.robolectric.RobolectricTestRunner
import org.robolectric.Shadows.shadowOf
import java.io.File
import java.io.IOException
import java.io.InputStream
import java.nio.file.Files
import java.util.concurrent.CountDownLatch

/** Everything that can go wrong, one by one: one clear sentence, nothing lost, no crash. */
@RunWith(RobolectricTestRunner::class)
class BadInputTest {
    @get:Rule
    val test = JobsRule()

    private fun openFails(name: String) = test.failure(test.choose(name)).also {
        assertEquals("nothing is left", emptyList<String>(), test.folder.list().orEmpty().toList())
    }

    private fun words(id: Int) = test.app.getString(id)

    private fun streamFails(stream: () -> InputStream?): String {
        val uri = Uri.parse("content://elsewhere/photo")
        shadowOf(test.app.contentResolver).registerInputStreamSupplier(uri, stream)
        test.jobs.choose(uri)
        test.settle()
        return test.failure(test.jobs.state)
    }

    private fun restoreFails(engine: TestEngine): String {
        test.choose("upright.png")
        val failed = test.restore(engine) as RestoreState.Failed
        assertEquals("no result, half or whole", 2, test.folder.list()!!.size) // the photo and the state
        assertTrue("the photo can be restored again", failed.photo != null && test.restore() is RestoreState.Done)
        test.jobs.dismiss()
        test.settle()
        return test.sentence(failed.message)
    }

    @Test
    fun `a text file shared as an image`() = assertEquals(words(R.string.photo_not_a_photo), openFails("text.jpg"))

    @Test
    fun `an animation`() = assertEquals(words(R.string.photo_animated), openFails("moving.gif"))

    @Test
    fun `a format that this Android does not decode`() = assertTrue("cannot be decoded" in openFails("photo.avif"))

    @Test
    fun `a truncated JPEG`() {
        val shared = File(test.app.cacheDir, "shared").apply { mkdirs() }
        val bytes = TestPhotos.file("turned.jpg").readBytes()
        File(shared, "cut.jpg").writeBytes(bytes.copyOf(bytes.size * 2 / 3))
        test.gallery.folder = shared
        assertTrue("damaged" in openFails("cut.jpg"))
    }

    @Test
    fun `a photo that is gone`() = assertTrue("deleted" in openFails("no such photo.jpg"))

    @Test
    fun `permission to read refused`() {
        test.gallery.opening = { throw SecurityException("no") }
        assertTrue("not allowed" in openFails("upright.png"))
    }

    @Test
    fun `another app that breaks`() {
        test.gallery.opening = { throw IllegalStateException("broken") }
        assertTrue("cannot be opened" in openFails("upright.png"))
        val breaks = object : InputStream() {
            override fun read(): Int = throw IOException("connection lost")
        }
        streamFails { breaks }
        val breaksWorse = object : InputStream() {
            override fun read(): Int = throw IllegalStateException("connection lost")
        }
        streamFails { breaksWorse }
        streamFails { ByteArray(0).inputStream() }
    }

    @Test
    fun `a photo that never ends`() {
        val endless = object : InputStream() {
            override fun read() = 0xff

            override fun read(bytes: ByteArray, offset: Int, length: Int): Int = length
        }
        val uri = Uri.parse("content://elsewhere/endless")
        shadowOf(test.app.contentResolver).registerInputStream(uri, endless)
        val target = File(test.app.cacheDir, "endless")
        val error = assertThrows(PhotoException::class.java) { PhotoInbox(test.app, target, 1 shl 20).take(uri) }
        assertEquals(
            "This file is larger than 1 megabyte; photos are smaller.",
            error.sentence.text(test.app.resources),
        )
        assertFalse(File(test.app.cacheDir, "endless.part").exists())
    }

    @Test
    fun `an app that never answers can be waited for no longer`() {
        val asked = CountDownLatch(1)
        val answers = CountDownLatch(1)
        test.gallery.opening = {
            asked.countDown()
            while (answers.count > 0) {
                try {
                    answers.await() // as a call to another process, which nothing interrupts
                } catch (_: InterruptedException) {
                    continue
                }
            }
        }
        test.jobs.choose(GalleryApp.uri("upright.png"))
        asked.await()
        test.jobs.choose(GalleryApp.uri("one.png"))
        assertTrue("being opened" in test.sentence(test.messages.single()))
        assertSame(RestoreState.Opening, test.jobs.state)
        test.jobs.cancel()
        assertSame(RestoreState.Idle, test.jobs.state)
        test.settle()
        assertSame(RestoreState.Idle, test.jobs.state)

        test.gallery.opening = {}
        assertEquals("one.png", (test.choose("one.png") as RestoreState.Ready).photo.name)
        answers.countDown() // and what the other app then gives is thrown away
        openThreads().forEach { it.join(60_000) }
        test.settle()
        assertEquals("one.png", (test.jobs.state as RestoreState.Ready).photo.name)
        assertEquals("the photo and the state", 2, test.folder.list()!!.size)
        assertTrue(test.restore() is RestoreState.Done)
    }

    @Test
    fun `a photo that does not come any further is given back when it is cancelled`() {
        test.choose("upright.png")
        val before = test.jobs.state
        val reading = CountDownLatch(1)
        val closed = CountDownLatch(1)
        val stuck = object : InputStream() {
            override fun read(): Int {
                reading.countDown()
                while (closed.count > 0) {
                    try {
                        closed.await()
                    } catch (_: InterruptedException) {
                        continue
                    }
                }
                throw IOException("closed")
            }

            override fun close() = closed.countDown()
        }
        val uri = Uri.parse("content://elsewhere/stuck")
        shadowOf(test.app.contentResolver).registerInputStreamSupplier(uri) { stuck }
        test.jobs.choose(uri)
        reading.await()
        test.jobs.cancel()
        openThreads().forEach { it.join(60_000) }
        test.settle()
        assertSame("the photo before it is still there", before, test.jobs.state)
        assertEquals("nothing of the other", 2, test.folder.list()!!.size)
        assertEquals(emptyList<String>(), test.messages)
    }

    private fun openThreads() = Thread.getAllStackTraces().keys.filter { it.name == "open" }

    @Test
    fun `an address that is not another app's`() {
        for (address in listOf(
            "file:///data/data/org.anyir.demo/files/restore/state.json",
            "https://example.org/a.jpg",
            "",
            "x:y",
        )) {
            test.jobs.choose(Uri.parse(address))
            test.settle()
            assertTrue("share button" in test.failure(test.jobs.state))
        }
    }

    /** Whatever is written to [name] in the app's folder meets a full disk. */
    private fun fill(name: String) {
        val full = File("/dev/full")
        assumeTrue("this system has no /dev/full", full.exists())
        test.folder.mkdirs()
        Files.createSymbolicLink(File(test.folder, name).toPath(), full.toPath())
    }

    @Test
    fun `no space to open a photo`() {
        fill("state.json.part")
        assertEquals(words(R.string.no_space), test.failure(test.choose("upright.png")))
    }

    @Test
    fun `no space to keep the result`() {
        test.choose("upright.png")
        assertEquals(
            words(R.string.no_space),
            test.failure(test.restore(TestEngine(opening = { fill("state.json.part") }))),
        )
    }

    @Test
    fun `a folder that cannot be written to is not a full phone`() {
        test.folder.writeText("a file where the folder should be")
        assertEquals(words(R.string.not_written), test.failure(test.choose("upright.png")))
    }

    @Test
    fun `a state that cannot be replaced is not a full phone`() {
        test.choose("upright.png")
        val engine = TestEngine(opening = {
            test.folder.listFiles()!!.single { it.name == "state.json" }.delete()
            File(test.folder, "state.json").mkdirs()
            File(test.folder, "state.json/x").writeText("")
        })
        assertEquals(words(R.string.not_written), test.failure(test.restore(engine)))
    }

    @Test
    fun `an engine that fails to load`() {
        val message = "The engine cannot load this file."
        assertEquals(message, restoreFails(TestEngine(opening = { throw EngineException(message) })))
        val missing = restoreFails(TestEngine(opening = { throw UnsatisfiedLinkError("no libtensorflowlite_jni.so") }))
        assertEquals("Test engine stopped while it ran test_model: no libtensorflowlite_jni.so.", missing)
        restoreFails(TestEngine(opening = { throw NoClassDefFoundError() }))
    }

    @Test
    fun `an engine that throws in the middle`() {
        val engine = TestEngine(running = { if (it == 5) throw IllegalStateException("delegate lost\nat line 7") })
        assertEquals("Test engine stopped while it ran test_model: delegate lost.", restoreFails(engine))
        assertEquals(1, engine.closed)
        assertTrue("not enough memory" in restoreFails(TestEngine(running = { if (it == 5) throw OutOfMemoryError() })))
    }

    @Test
    fun `a model that returns NaN`() = assertTrue("NaN" in restoreFails(TestEngine(value = { Float.NaN })))

    @Test
    fun `a model that finds NaN when it looks at the photo restores no tile`() {
        val engine = TestEngine(
            looking = { it.values.single().put(0, Float.NaN) },
            running = { error("no tile is restored") },
        )
        assertEquals(
            "The model looked at the photo and found values that are no numbers (NaN or infinity), so there is no " +
                "result.",
            restoreFails(engine),
        )
        assertEquals(1, engine.closed)
    }

    @Test
    fun `a second restoration while one runs, and a second photo`() {
        test.choose("upright.png")
        val inTile = CountDownLatch(1)
        val goOn = CountDownLatch(1)
        test.jobs.start(
            testModel(),
            TestEngine(running = {
                inTile.countDown()
                goOn.await()
            }),
        )
        test.startService()
        inTile.await()
        test.jobs.start(testModel(), TestEngine())
        test.jobs.choose(GalleryApp.uri("one.png"), discard = true)
        test.jobs.dismiss()
        assertTrue(test.jobs.state is RestoreState.Running)
        assertEquals(2, test.messages.size)
        test.messages.forEach { assertTrue("being restored" in test.sentence(it)) }
        goOn.countDown()
        test.settle()
        assertEquals("upright.png", (test.jobs.state as RestoreState.Done).photo.name)
    }

    @Test
    fun `an engine that is not in this build, or not for this model, or no photo`() {
        test.jobs.start(testModel(), TestEngine())
        test.choose("upright.png")
        test.jobs.start(testModel(), TestEngine(unavailable = "not in this build"))
        test.jobs.start(testModel(), TestEngine(opens = { false }))
        assertEquals(
            listOf(
                "Choose a photo first.",
                "Test engine cannot be used: not in this build.",
                "Test engine does not run test_model.",
            ),
            test.messages.map { test.sentence(it) },
        )
        assertTrue(test.jobs.state is RestoreState.Ready)
    }

    @Test
    fun `a photo that is too large is offered at half size`() {
        val photo = (test.choose("lying6.png") as RestoreState.Ready).photo
        val large = PhotoInfo(photo.uri, photo.name, photo.file, photo.format, 6, 9000, 7000, emptyList())
        assertTrue(large.onlyHalfSize)
        Kept(test.folder).keep(large, running = false, result = null)
        test.newProcess()
        val ready = test.jobs.state
        test.jobs.start(testModel(), TestEngine())
        assertSame(ready, test.jobs.state)
        assertTrue("63 megapixels" in test.sentence(test.messages.single()))
        val done = test.restore(half = true) as RestoreState.Done
        assertTrue(done.result.halfSize)
        assertEquals(TestPhotos.WIDTH / 2 to TestPhotos.HEIGHT / 2, done.result.width to done.result.height)
    }
}
