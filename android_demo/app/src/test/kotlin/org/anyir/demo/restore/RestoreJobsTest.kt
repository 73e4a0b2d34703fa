package org.anyir.demo.restore

import org.anyir.demo.photo.FileFacts
import org.anyir.demo.photo.PhotoFormat
import org.anyir.demo.photo.TestPhotos
import org.junit.Assert.assertArrayEquals
import org.junit.Assert.assertEquals
import org.junit.Assert.assertFalse
import org.junit.Assert.assertNotEquals
import org.junit.Assert.assertSame
import org.junit.Assert.assertTrue
import org.junit.Rule
import org.junit.Test
import org.junit.runner.RunWith
import org.robolectric.RobolectricTestRunner
import java.io.File
import java.util.concurrent.CountDownLatch

/** The way of a photo, and what survives. */
@RunWith(RobolectricTestRunner::class)
class RestoreJobsTest {
    @get:Rule
    val test = JobsRule()

    private fun inverted(pixels: IntArray) = pixels.map { it xor 0xffffff }.toIntArray()

    @Test
    fun `a photo is opened, restored and kept`() {
        val ready = test.choose("lying6.png") as RestoreState.Ready
        assertEquals("lying6.png", ready.photo.name)
        assertEquals(PhotoFormat.PNG, ready.photo.format)
        assertEquals(TestPhotos.WIDTH to TestPhotos.HEIGHT, ready.photo.width to ready.photo.height)

        val done = test.restore() as RestoreState.Done
        assertArrayEquals(inverted(TestPhotos.upright()), test.resultPixels())
        assertEquals("test_model", done.result.model)
        assertEquals("Test engine", done.result.engine)
        assertEquals("nothing real", done.result.accelerator)
        assertFalse(done.result.saved)

        val tiles = test.states.filterIsInstance<RestoreState.Running>().filter { it.total > 0 }
        assertEquals("the look, then the tiles", (0..13).toList(), tiles.map { it.done })
        assertTrue(tiles.all { it.total == 13 })
        assertEquals(listOf(null) + (0..12), tiles.map { it.tiles })
        assertTrue(
            "time left is known from the second tile",
            tiles[2].millisLeft == null && tiles[3].millisLeft != null,
        )
        assertEquals(0L, tiles.last().millisLeft)
    }

    @Test
    fun `a wide photo's result keeps colours and EXIF`() {
        test.choose("turned.jpg")
        val result = (test.restore() as RestoreState.Done).result.file.readBytes()
        val text = String(result, Charsets.ISO_8859_1)
        assertTrue("iCCP" in text && "eXIf" in text && "a maker's own" in text)
    }

    @Test
    fun `what is lost or costs memory is said before`() {
        val expected = mapOf("photo.bmp" to "decoded as a whole", "deep.png" to "16 bits", "gain_map.jpg" to "gain map")
        for ((name, note) in expected) {
            val notes = (test.choose(name) as RestoreState.Ready).photo.notes
            assertTrue("$name: $notes", notes.any { note in it })
            notes.forEach { test.sentence(it) }
        }
        assertEquals(emptyList<String>(), (test.choose("turned.jpg") as RestoreState.Ready).photo.notes)
    }

    @Test
    fun `grey stays grey, alpha stays alpha`() {
        test.choose("grey_alpha.png")
        test.restore(TestEngine(value = { it * 0.5f }))
        val before = TestPhotos.pixels(TestPhotos.file("alpha.png"))
        val after = test.resultPixels()
        assertTrue(after.indices.all { before[it] ushr 24 == after[it] ushr 24 })
        assertTrue(after.all { (it shr 16 and 255) == (it and 255) })
    }

    @Test
    fun `black-and-white stored in colour stays so, and a photo with one coloured pixel is a colour photo`() {
        fun isGrey(pixels: IntArray) = pixels.all { 0x10101 * (it and 255) == it and 0xffffff }
        for ((name, grey) in listOf("bw.jpg" to true, "bw.png" to true, "bw_but_one.png" to false)) {
            assertFalse("$name has three colours", FileFacts.read(TestPhotos.file(name)).grey)
            test.choose(name, discard = true)
            test.restore(TestEngine(tint = 0.1f))
            assertEquals(name, grey, isGrey(test.resultPixels()))
            test.save()
            assertEquals(name, grey, isGrey(TestPhotos.pixels(test.media.file(test.media.rows.keys.last()))))
        }
    }

    @Test
    fun `one pixel and a strip are restored`() {
        test.choose("one.png")
        assertTrue(test.restore() is RestoreState.Done)
        assertArrayEquals(inverted(TestPhotos.pixels(TestPhotos.file("one.png"))), test.resultPixels())
        test.choose("strip.png", discard = true)
        assertTrue(test.restore(tile = 256) is RestoreState.Done)
        assertArrayEquals(inverted(TestPhotos.pixels(TestPhotos.file("strip.png"))), test.resultPixels())
    }

    @Test
    fun `a photo that is deleted while it is restored is restored all the same`() {
        val shared = File(test.app.cacheDir, "shared").apply { mkdirs() }
        val original = TestPhotos.file("upright.png").copyTo(File(shared, "mine.png"))
        test.gallery.folder = shared
        test.choose("mine.png")
        test.restore(TestEngine(running = { original.delete() }))
        assertFalse(original.exists())
        assertArrayEquals(inverted(TestPhotos.upright()), test.resultPixels())
    }

    @Test
    fun `cancelling ends with the tile that runs and leaves nothing`() {
        test.choose("upright.png")
        val inTile = CountDownLatch(1)
        val goOn = CountDownLatch(1)
        var last = 0
        val engine = TestEngine(running = { tile ->
            last = tile
            if (tile == 3) {
                inTile.countDown()
                goOn.await()
            }
        })
        test.jobs.start(testModel(), engine)
        test.startService()
        inTile.await()
        test.jobs.cancel()
        assertTrue((test.jobs.state as RestoreState.Running).cancelling)
        goOn.countDown()
        test.settle()
        assertTrue(test.jobs.state is RestoreState.Ready)
        assertEquals("no tile after it", 3, last)
        assertEquals("the engine is closed", 1, engine.closed)
        assertEquals(2, test.folder.list()!!.size) // the photo and the state
        assertTrue("and it can be restored again", test.restore() is RestoreState.Done)
    }

    @Test
    fun `cancelling in the last tile leaves the result that was there`() {
        test.choose("upright.png")
        val first = test.restore() as RestoreState.Done
        test.jobs.start(testModel(), TestEngine(running = { tile -> if (tile == 12) test.jobs.cancel() }))
        test.startService()
        test.settle()
        assertSame(first, test.jobs.state)
        assertEquals("photo, result and state", 3, test.folder.list()!!.size)
        test.newProcess()
        assertEquals(first.result.file, (test.jobs.state as RestoreState.Done).result.file)
    }

    @Test
    fun `a result that is saved while it is restored again is known as saved when that is cancelled`() {
        test.choose("upright.png")
        test.restore()
        test.jobs.save(1f) {}
        test.jobs.start(testModel(), TestEngine(running = { tile -> if (tile == 3) test.jobs.cancel() }))
        test.startService()
        test.settle()
        assertTrue((test.jobs.state as RestoreState.Done).result.saved)
        test.newProcess()
        assertTrue((test.jobs.state as RestoreState.Done).result.saved)
    }

    @Test
    fun `cancelling before the service runs starts nothing`() {
        test.choose("upright.png")
        test.jobs.start(testModel(), TestEngine(opening = { error("must not be opened") }))
        test.jobs.cancel()
        test.startService()
        test.settle()
        assertTrue(test.jobs.state is RestoreState.Ready)
    }

    @Test
    fun `a result outlives the process until it is dismissed`() {
        test.choose("upright.png")
        val before = (test.restore() as RestoreState.Done).result
        test.newProcess()
        val after = (test.jobs.state as RestoreState.Done).result
        assertNotEquals("read anew", System.identityHashCode(before), System.identityHashCode(after))
        assertEquals(
            listOf(before.file, before.model, before.accelerator, before.need),
            listOf(after.file, after.model, after.accelerator, after.need),
        )
        assertArrayEquals(inverted(TestPhotos.upright()), test.resultPixels())
        test.jobs.dismiss()
        test.settle()
        test.newProcess()
        assertSame(RestoreState.Idle, test.jobs.state)
        assertEquals("no file is left", 0, test.folder.list()!!.size)
    }

    @Test
    fun `a restoration that the process died in is offered again`() {
        test.choose("upright.png")
        val inTile = CountDownLatch(1)
        val never = CountDownLatch(1)
        test.jobs.start(
            testModel(),
            TestEngine(running = {
                inTile.countDown()
                never.await()
            }),
        )
        test.startService()
        inTile.await()
        test.newProcess()
        val offered = test.jobs.state as RestoreState.Ready
        assertTrue(offered.interrupted)
        assertTrue(test.restore() is RestoreState.Done)
        assertArrayEquals(inverted(TestPhotos.upright()), test.resultPixels())
        never.countDown()
    }

    @Test
    fun `a state that cannot be read is no state`() {
        test.choose("upright.png")
        for (text in listOf(
            "",
            "{",
            "[]",
            "{\"photo\": 1}",
            "{\"photo\": {\"file\": \"../../x\"}, \"running\": true}",
        )) {
            File(test.folder, "state.json").writeText(text)
            test.newProcess()
            assertSame(RestoreState.Idle, test.jobs.state)
        }
    }

    @Test
    fun `restoring again keeps the first result until the second is there`() {
        test.choose("upright.png")
        val first = test.restore() as RestoreState.Done
        assertTrue(test.restore(TestEngine(running = { error("broken") })) is RestoreState.Done)
        assertEquals(first.result.file, (test.jobs.state as RestoreState.Done).result.file)
        assertEquals(1, test.messages.size)
        test.restore(TestEngine(value = { it }))
        assertArrayEquals(TestPhotos.upright(), test.resultPixels())
        assertFalse(first.result.file.exists())
    }

    @Test
    fun `an unsaved result is not replaced by accident`() {
        test.choose("upright.png")
        val done = test.restore()
        assertSame(done, test.choose("one.png"))
        assertTrue(test.sentence(test.messages.single()).contains("not saved yet"))
        test.save()
        assertTrue(test.choose("one.png") is RestoreState.Ready)
    }

    @Test
    fun `memory that runs out while a photo is opened is one sentence`() {
        test.gallery.opening = { throw OutOfMemoryError() }
        assertTrue("not enough memory" in test.failure(test.choose("upright.png")))
        test.gallery.opening = {}
        assertTrue(test.choose("upright.png") is RestoreState.Ready)
    }

    @Test
    fun `a photo that cannot be opened leaves the one before`() {
        test.choose("upright.png")
        val before = test.jobs.state
        assertSame(before, test.choose("text.jpg"))
        test.sentence(test.messages.single())
        assertTrue(test.restore() is RestoreState.Done)
    }
}
