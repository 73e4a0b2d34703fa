package org.anyir.demo

import android.content.ClipData
import android.content.Intent
import android.net.Uri
import android.os.Bundle
import org.anyir.demo.restore.GalleryApp
import org.anyir.demo.restore.JobsRule
import org.anyir.demo.restore.RestoreState
import org.anyir.demo.ui.MainActivity
import org.junit.Assert.assertTrue
import org.junit.Rule
import org.junit.Test
import org.junit.runner.RunWith
import org.robolectric.Robolectric
import org.robolectric.RobolectricTestRunner
import java.io.File
import kotlin.random.Random

/** Whatever other apps send to the main screen. Seeded: a failure can be repeated. */
@RunWith(RobolectricTestRunner::class)
class IntentFuzzTest {
    @get:Rule
    val test = JobsRule()

    private val names = File("src/test/photos").list()!!.sorted().filter { it != "strip.png" } // only slow

    @Test
    fun `five hundred intents are taken, or refused with one sentence`() {
        test.gallery.opening = { if (Random(it.hashCode()).nextInt(8) == 0) throw SecurityException("not granted") }
        var activity = Robolectric.buildActivity(MainActivity::class.java, intent(Random(-1))).setup()
        val outcomes = HashSet<String>()
        for (case in 0 until CASES) {
            val random = Random(case)
            try {
                if (case % 100 == 0) {
                    activity.pause().stop().destroy()
                    activity = Robolectric.buildActivity(MainActivity::class.java, intent(random)).setup()
                } else {
                    activity.pause().newIntent(intent(random)).resume() // the order in which Android does it
                }
                test.settle()
            } catch (error: Throwable) {
                throw AssertionError("case $case: ${intent(Random(case))}", error)
            }
            val state = test.jobs.state
            if (state is RestoreState.Failed) test.sentence(state.message)
            outcomes += state.javaClass.simpleName
            if (case % 5 == 0) test.jobs.dismiss()
        }
        test.messages.forEach { test.sentence(it) }
        assertTrue("$outcomes", outcomes.containsAll(listOf("Idle", "Ready", "Failed")))
        activity.pause().stop().destroy()
    }

    private fun intent(random: Random) = Intent().apply {
        action = ACTIONS.random(random)
        if (random.nextInt(3) == 0) setDataAndType(uri(random), TYPES.random(random)) else type = TYPES.random(random)
        when (random.nextInt(8)) {
            0 -> Unit
            1 -> putExtra(Intent.EXTRA_STREAM, "content://gallery/upright.png")
            2 -> putExtra(Intent.EXTRA_STREAM, random.nextInt())
            3 -> putParcelableArrayListExtra(Intent.EXTRA_STREAM, arrayListOf(uri(random), uri(random)))
            4 -> putExtra(Intent.EXTRA_STREAM, Bundle().apply { putString("x", text(random)) })
            5 -> putExtra(Intent.EXTRA_STREAM, Intent(text(random)))
            else -> putExtra(Intent.EXTRA_STREAM, uri(random))
        }
        if (random.nextInt(4) == 0) {
            clipData =
                if (random.nextBoolean()) ClipData.newRawUri("x", uri(random)) else ClipData.newPlainText("x", "y")
        }
        if (random.nextInt(4) == 0) putExtra(text(random), text(random))
        if (random.nextInt(6) == 0) addCategory(text(random))
        flags = if (random.nextInt(3) == 0) random.nextInt() else Intent.FLAG_GRANT_READ_URI_PERMISSION
    }

    private fun uri(random: Random): Uri = when (random.nextInt(6)) {
        0 -> Uri.parse(text(random))
        1 -> Uri.EMPTY
        2 -> Uri.parse(ADDRESSES.random(random))
        else -> GalleryApp.uri(names.random(random))
    }

    private fun text(random: Random) = String(CharArray(random.nextInt(24)) { random.nextInt(1, 0x2100).toChar() })

    private companion object {
        const val CASES = 500
        val ACTIONS = listOf(Intent.ACTION_SEND, Intent.ACTION_SEND, Intent.ACTION_SEND, Intent.ACTION_SEND) +
            listOf(Intent.ACTION_SEND_MULTIPLE, Intent.ACTION_VIEW, Intent.ACTION_EDIT, Intent.ACTION_MAIN, null, "x")
        val TYPES = listOf("image/jpeg", "image/png", "image/*", "text/plain", "video/mp4", "", null, "no type")
        val ADDRESSES = listOf(
            "file:///sdcard/photo.jpg",
            "file:///data/data/org.anyir.demo/files/restore/state.json",
            "content://org.anyir.demo.results/../state.json",
            "content://nobody/photo",
            "content://",
            "android.resource://org.anyir.demo/1",
            "android.resource://nobody/raw/x",
            "http://example.org/photo.jpg",
        )
    }
}
