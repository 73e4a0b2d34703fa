package org.anyir.demo.ui

import android.Manifest
import android.content.Intent
import android.graphics.Color
import android.net.Uri
import android.provider.MediaStore
import android.view.View
import android.widget.SeekBar
import org.anyir.demo.R
import org.anyir.demo.restore.GalleryApp
import org.anyir.demo.restore.JobsRule
import org.anyir.demo.restore.TestEngine
import org.anyir.engines.EngineException
import org.junit.Assert.assertEquals
import org.junit.Assert.assertFalse
import org.junit.Assert.assertNull
import org.junit.Assert.assertTrue
import org.junit.Rule
import org.junit.Test
import org.junit.rules.RuleChain
import org.junit.runner.RunWith
import org.robolectric.RobolectricTestRunner
import org.robolectric.Shadows.shadowOf
import org.robolectric.annotation.Config
import org.robolectric.shadows.ShadowAlertDialog
import java.util.concurrent.CountDownLatch

/** What a person does with the app, through its screens. The engine turns every colour into its opposite. */
@RunWith(RobolectricTestRunner::class)
@Config(qualifiers = PHONE)
class MainActivityTest {
    private val jobs = JobsRule()
    private val app = AppRule(jobs)

    @get:Rule
    val rules: RuleChain = RuleChain.outerRule(jobs).around(app)

    private fun ready(engine: TestEngine = TestEngine()) {
        app.engines(listOf(engine))
        app.push(testModelFiles(jobs.app.cacheDir))
    }

    private fun openReady(engine: TestEngine = TestEngine()): MainActivity {
        ready(engine)
        return app.open().also { activity -> settle { activity.enabled(R.id.restore_sample) } }
    }

    private fun MainActivity.enabled(id: Int) = window.decorView.findViewById<View>(id)?.isEnabled == true

    /** The sample photo restored, as at first start. */
    private fun restored(engine: TestEngine = TestEngine()): MainActivity {
        val activity = openReady(engine)
        activity.tap(R.id.restore_sample)
        app.runService()
        settle { activity.says("Save") && activity.photo.ready }
        return activity
    }

    @Test
    fun `at first start the sample photo is one tap from restored`() {
        val activity = restored()
        assertTrue(activity.photo.comparing)
        assertTrue(activity.says("ran on nothing real in"))
        assertTrue(activity.says("Test engine"))
        activity.photo.divider = 1f
        val original = draw(activity.photo).getPixel(540, 500)
        activity.photo.divider = 0f
        val opposite = draw(activity.photo).getPixel(540, 500)
        for (channel in listOf<(Int) -> Int>({ Color.red(it) }, { Color.green(it) }, { Color.blue(it) })) {
            assertEquals(255.0, (channel(original) + channel(opposite)).toDouble(), 3.0)
        }
    }

    @Test
    fun `without a model one sentence says how to add one`() {
        app.engines(listOf(TestEngine()))
        val activity = app.open()
        settle { activity.says("adb push") }
        assertTrue(activity.says("/sdcard/Android/data/org.anyir.demo/files/models"))
        assertFalse(activity.enabled(R.id.restore_sample))
        assertTrue("a photo can be looked at all the same", activity.enabled(R.id.choose))
    }

    @Test
    fun `where no engine is in the build, a sentence says so`() {
        ready(TestEngine(unavailable = "not in this build"))
        val activity = app.open()
        settle { activity.says("None of the models here runs") }
    }

    @Test
    fun `the strength slider mixes live and is spoken`() {
        val activity = restored()
        val slider = activity.window.decorView.part<SeekBar>(R.id.strength)
        activity.photo.divider = 0f
        val full = draw(activity.photo).getPixel(540, 500)
        slider.onInitializeAccessibilityNodeInfo(slider.createAccessibilityNodeInfo())
        slider.performAccessibilityAction(
            android.view.accessibility.AccessibilityNodeInfo.AccessibilityAction.ACTION_SET_PROGRESS.id,
            android.os.Bundle().apply {
                putFloat(android.view.accessibility.AccessibilityNodeInfo.ACTION_ARGUMENT_PROGRESS_VALUE, 0f)
            },
        )
        assertEquals(0f, activity.photo.strength)
        assertTrue(activity.says("0 %"))
        assertEquals("0 percent restored", slider.stateDescription.toString())
        assertTrue(full != draw(activity.photo).getPixel(540, 500))
    }

    @Test
    fun `rotation and the end of the process lose neither result nor divider`() {
        val activity = restored()
        activity.photo.divider = 0.25f
        activity.strength(0.5f)
        val turned = app.recreate()
        settle { turned.photo.ready }
        assertTrue(turned.photo.comparing)
        assertEquals(0.25f, turned.photo.divider)
        assertEquals(0.5f, turned.photo.strength)
        assertTrue(turned.says("50 %"))
        jobs.newProcess()
        val again = app.open()
        settle { again.photo.comparing && again.photo.ready }
        assertTrue(again.says("ran on nothing real in"))
    }

    @Test
    fun `progress is shown, and cancel comes back to the photo`() {
        val gate = CountDownLatch(1)
        val activity = openReady(TestEngine(running = { if (it == 2) gate.await() }))
        activity.tap(R.id.restore_sample)
        app.runService()
        settle { activity.says("1 of ") }
        assertTrue(activity.says("of 255; a fault is 2.5 or more)."))
        activity.tap(R.id.cancel)
        assertTrue(activity.says("Stopping after this tile"))
        gate.countDown()
        settle { activity.says("Restores with") }
        assertFalse(activity.photo.comparing)
        assertTrue(activity.enabled(R.id.restore))
    }

    @Test
    fun `an engine that fails is one sentence, and the photo can be tried again`() {
        var fails = true
        val activity = openReady(TestEngine(opening = { if (fails) throw EngineException("The engine refuses it.") }))
        activity.tap(R.id.restore_sample)
        app.runService()
        settle { activity.says("The engine refuses it.") }
        assertEquals(
            View.ACCESSIBILITY_LIVE_REGION_ASSERTIVE,
            activity.window.decorView.part<View>(R.id.problem).accessibilityLiveRegion,
        )
        fails = false
        activity.tap(R.id.again)
        app.runService()
        settle { activity.photo.comparing }
    }

    @Test
    fun `a photo that another app shares is opened`() {
        ready()
        val photo = GalleryApp.uri("upright.png")
        val activity = app.open(Intent(Intent.ACTION_SEND).setType("image/png").putExtra(Intent.EXTRA_STREAM, photo))
        settle { activity.enabled(R.id.restore) }
        assertTrue(activity.says("47 × 30"))
    }

    @Test
    fun `a share that comes again from the recent apps is not taken again`() {
        ready()
        val photo = GalleryApp.uri("upright.png")
        val again = Intent(Intent.ACTION_SEND).setType("image/png").putExtra(Intent.EXTRA_STREAM, photo)
            .addFlags(Intent.FLAG_ACTIVITY_LAUNCHED_FROM_HISTORY)
        val activity = app.open(again)
        settle { activity.enabled(R.id.restore_sample) }
        assertNull(jobs.jobs.state.photo)
    }

    @Test
    fun `what is shared while a photo is restored is refused in one sentence`() {
        val gate = CountDownLatch(1)
        val activity = openReady(TestEngine(running = { gate.await() }))
        activity.tap(R.id.restore_sample)
        app.runService()
        settle { activity.says("Restoring…") }
        app.share(Intent(Intent.ACTION_SEND).putExtra(Intent.EXTRA_STREAM, GalleryApp.uri("upright.png")))
        settle { activity.says("A photo is being restored") }
        gate.countDown()
        settle { activity.photo.comparing }
    }

    @Test
    fun `a share without a photo is one sentence`() {
        ready()
        for (extra in listOf<(Intent) -> Intent>({ it }, { it.putExtra(Intent.EXTRA_STREAM, "text") })) {
            val activity = app.open(extra(Intent(Intent.ACTION_SEND).setType("image/*")))
            settle { activity.says("Nothing that AnyIR can restore was shared.") }
        }
    }

    @Test
    fun `choosing opens the system's photo picker`() {
        val activity = openReady()
        activity.tap(R.id.choose)
        val started = shadowOf(activity).nextStartedActivityForResult
        assertEquals(MediaStore.ACTION_PICK_IMAGES, started.intent.action)
        shadowOf(activity).receiveResult(
            started.intent,
            android.app.Activity.RESULT_OK,
            Intent().setData(GalleryApp.uri("upright.png")),
        )
        settle { activity.says("47 × 30") }
    }

    @Test
    fun `a photo among the files of other apps can be chosen too`() {
        val activity = openReady()
        activity.tap(R.id.browse)
        val started = shadowOf(activity).nextStartedActivityForResult
        assertEquals(Intent.ACTION_OPEN_DOCUMENT, started.intent.action)
        assertEquals("image/*", started.intent.type)
        shadowOf(activity).receiveResult(
            started.intent,
            android.app.Activity.RESULT_OK,
            Intent().setData(GalleryApp.uri("upright.png")),
        )
        settle { activity.says("47 × 30") }
    }

    @Test
    fun `choosing opens the documents where there is no picker`() {
        val activity = openReady()
        onSdk(29) { activity.tap(R.id.choose) }
        assertEquals(Intent.ACTION_OPEN_DOCUMENT, shadowOf(activity).nextStartedActivityForResult.intent.action)
    }

    @Test
    fun `saving says where the picture is, and that the original is unchanged`() {
        val activity = restored()
        activity.tap(R.id.save)
        settle { activity.says("The original is unchanged.") }
        assertTrue(activity.says("Save again"))
    }

    @Test
    fun `sharing gives the picture to other apps with the right to read it alone`() {
        val activity = restored()
        activity.tap(R.id.share)
        var chooser: Intent? = null // after the question whether notifications may be shown
        settle { shadowOf(activity).nextStartedActivity.also { chooser = it }?.action == Intent.ACTION_CHOOSER }
        @Suppress("DEPRECATION")
        val sent = checkNotNull(chooser?.getParcelableExtra<Intent>(Intent.EXTRA_INTENT))
        assertEquals("image/jpeg", sent.type)
        assertEquals(Intent.FLAG_GRANT_READ_URI_PERMISSION, sent.flags)
        @Suppress("DEPRECATION")
        assertEquals("content", sent.getParcelableExtra<Uri>(Intent.EXTRA_STREAM)?.scheme)
    }

    @Test
    fun `closing an unsaved result asks first, closing a saved one does not`() {
        val activity = restored()
        activity.tap(R.id.close)
        val dialog = checkNotNull(ShadowAlertDialog.getLatestAlertDialog())
        assertTrue(dialog.isShowing)
        assertTrue("nothing is lost yet", activity.photo.comparing)
        dialog.getButton(android.app.AlertDialog.BUTTON_POSITIVE).performClick()
        settle { activity.says("Clear up a bad photo") }
        assertNull(jobs.jobs.state.photo)
    }

    @Test
    fun `the question about an unsaved result outlives rotation and the process`() {
        restored()
        app.share(Intent(Intent.ACTION_SEND).putExtra(Intent.EXTRA_STREAM, GalleryApp.uri("upright.png")))
        val asked = checkNotNull(ShadowAlertDialog.getLatestAlertDialog())
        assertTrue(asked.isShowing)

        val turned = app.recreate()
        val again = checkNotNull(ShadowAlertDialog.getLatestAlertDialog())
        assertFalse("no window is leaked", asked.isShowing)
        assertTrue(again !== asked && again.isShowing)
        assertTrue("nothing is lost yet", turned.photo.comparing)
        again.getButton(android.app.AlertDialog.BUTTON_NEGATIVE).performClick()
        settle()
        assertTrue(app.recreate().photo.comparing)
        assertFalse("an answered question is not asked again", again.isShowing)
        assertTrue(ShadowAlertDialog.getLatestAlertDialog() === again)

        app.share(Intent(Intent.ACTION_SEND).putExtra(Intent.EXTRA_STREAM, GalleryApp.uri("upright.png")))
        jobs.newProcess()
        val reborn = app.reopen()
        settle { reborn.photo.comparing }
        checkNotNull(ShadowAlertDialog.getLatestAlertDialog())
            .getButton(android.app.AlertDialog.BUTTON_POSITIVE).performClick()
        settle { reborn.says("47 × 30") }
        assertEquals("upright.png", jobs.jobs.state.photo?.name)
    }

    @Test
    fun `a photo whose app never answers is waited for until it is cancelled`() {
        val gate = CountDownLatch(1)
        jobs.gallery.opening = { gate.await() }
        ready()
        val photo = GalleryApp.uri("upright.png")
        val activity = app.open(Intent(Intent.ACTION_SEND).setType("image/png").putExtra(Intent.EXTRA_STREAM, photo))
        settle { activity.says("Opening the photo…") }
        activity.tap(R.id.cancel)
        settle { activity.enabled(R.id.restore_sample) }
        jobs.gallery.opening = {}
        activity.tap(R.id.restore_sample)
        app.runService()
        settle { activity.photo.comparing }
        gate.countDown()
    }

    @Test
    fun `the sample photo has a name`() {
        val activity = restored()
        assertEquals("Sample photo", jobs.jobs.state.photo?.name)
        assertEquals("Sample photo", activity.photo.photoName)
        activity.tap(R.id.save)
        settle { activity.says("Saved as Sample photo-restored.jpg") }
    }

    @Test
    fun `notifications are asked for once, and the restoration does not wait for the answer`() {
        val activity = openReady()
        activity.tap(R.id.restore_sample)
        val asked = shadowOf(activity).lastRequestedPermission
        assertEquals(listOf(Manifest.permission.POST_NOTIFICATIONS), asked.requestedPermissions.toList())
        app.runService()
        settle { activity.photo.comparing }
    }

    @Test
    fun `system bars are kept clear`() {
        val activity = openReady()
        val root = activity.window.decorView.part<View>(R.id.root)
        val insets = android.view.WindowInsets.Builder()
            .setInsets(android.view.WindowInsets.Type.systemBars(), android.graphics.Insets.of(0, 70, 0, 48))
            .build()
        root.dispatchApplyWindowInsets(insets)
        assertEquals(70, root.paddingTop)
        assertEquals(48, root.paddingBottom)
    }
}
