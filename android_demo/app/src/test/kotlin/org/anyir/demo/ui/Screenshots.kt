package org.anyir.demo.ui

import android.app.Activity
import android.graphics.Bitmap
import org.anyir.core.Model
import org.anyir.core.RunTiming
import org.anyir.core.Statistics
import org.anyir.demo.BenchmarkActivity
import org.anyir.demo.R
import org.anyir.demo.photo.sampleUri
import org.anyir.demo.restore.GalleryApp
import org.anyir.demo.restore.JobsRule
import org.anyir.demo.restore.RestoreState
import org.anyir.demo.restore.TestEngine
import org.anyir.engines.Engine
import org.anyir.engines.EngineException
import org.anyir.engines.EngineFactory
import org.anyir.engines.JvmEngineFactory
import org.anyir.engines.NOT_IN_THIS_BUILD
import org.junit.Rule
import org.junit.Test
import org.junit.rules.RuleChain
import org.junit.runner.RunWith
import org.robolectric.Robolectric
import org.robolectric.RobolectricTestRunner
import org.robolectric.RuntimeEnvironment
import org.robolectric.annotation.Config
import java.io.File
import java.nio.FloatBuffer
import java.util.concurrent.CountDownLatch

/**
 * Not a test: draws the screens for docs/guides/android/app.md, with a photo that a real program restores. Surefire runs it only
 * when it is named; android_demo/README.md has the command. `-Danyir.models` is a folder that `anyir convert` filled.
 */
@RunWith(RobolectricTestRunner::class)
@Config(qualifiers = PHONE)
class Screenshots {
    private val jobs = JobsRule()
    private val app = AppRule(jobs)
    private val pausing = Pausing(JvmEngineFactory())

    @get:Rule
    val rules: RuleChain = RuleChain.outerRule(jobs).around(app)

    @Test
    fun phone() {
        restore("phone", stages = true)
        shootModels("phone")
    }

    @Test
    fun `phone without a model`() {
        app.engines(listOf(pausing))
        val activity = app.open()
        settle { activity.says("adb push") && activity.photo.ready }
        shoot("phone-no-model", activity)
    }

    @Test
    fun `phone, a photo that is slow to come`() {
        val gate = CountDownLatch(1)
        start()
        val activity = open()
        jobs.gallery.opening = { gate.await() }
        jobs.jobs.choose(GalleryApp.uri("upright.png"))
        settle { activity.says("Opening the photo…") }
        shoot("phone-opening", activity)
        jobs.jobs.cancel()
        gate.countDown()
    }

    @Test
    fun `phone, a failure`() {
        start(TestEngine(opening = { throw EngineException("The graphics processor has no room for this model.") }))
        val activity = open()
        activity.tap(R.id.restore_sample)
        app.runService()
        settle { activity.says("The graphics processor has") && activity.photo.ready }
        shoot("phone-failed", activity)
    }

    @Test
    @Config(qualifiers = "w360dp-h640dp-port-night-xxhdpi")
    fun dark() {
        restore("dark")
        shootModels("dark")
    }

    @Test
    fun `text of twice the size`() {
        RuntimeEnvironment.setFontScale(2f)
        restore("large-text")
        shootModels("large-text")
    }

    @Test
    @Config(qualifiers = "ar-ldrtl-w360dp-h640dp-port-notnight-xxhdpi")
    fun `right to left`() = restore("right-to-left").let {}

    @Test
    @Config(qualifiers = PHONE_LANDSCAPE)
    fun landscape() = restore("landscape").let {}

    @Test
    @Config(qualifiers = TABLET)
    fun tablet() {
        restore("tablet")
        shootModels("tablet")
    }

    private fun start(engine: EngineFactory = pausing) {
        app.engines(
            listOf(engine, TestEngineNamed("litert-gpu", "LiteRT, GPU"), TestEngineNamed("executorch", "ExecuTorch")),
        )
        val folder = File(checkNotNull(System.getProperty("anyir.models")) { "-Danyir.models=FOLDER is missing" })
        val programs = folder.listFiles().orEmpty().filter { it.extension == "tflite" }
        app.push(programs + programs.map { File(folder, "${it.nameWithoutExtension}.json") })
    }

    private fun open(): MainActivity = app.open().also { activity ->
        settle { activity.window.decorView.findViewById<android.view.View>(R.id.restore_sample)?.isEnabled == true }
        settle { activity.photo.ready }
    }

    private fun restore(name: String, stages: Boolean = false): MainActivity {
        start()
        val activity = open()
        if (stages) {
            shoot("$name-start", activity)
            jobs.jobs.choose(sampleUri(activity))
            settle { activity.says("Restores with") && activity.photo.ready }
            shoot("$name-ready", activity)
            pausing.gate = CountDownLatch(1)
            activity.tap(R.id.restore)
        } else {
            pausing.gate.countDown()
            activity.tap(R.id.restore_sample)
        }
        app.runService()
        if (stages) {
            settle { activity.says("2 of ") && activity.photo.ready }
            shoot("$name-running", activity)
            pausing.gate.countDown()
        }
        settle { jobs.jobs.state is RestoreState.Done && activity.photo.comparing && activity.photo.ready }
        shoot("$name-done", activity)
        if (stages) {
            activity.photo.zoomBy(2.6f, activity.photo.width * 0.45f, activity.photo.height * 0.5f)
            settle()
            shoot("$name-zoomed", activity)
        }
        return activity
    }

    private fun shootModels(name: String) {
        shoot("$name-models", app.openModels())
        shoot("$name-benchmark", Robolectric.buildActivity(BenchmarkActivity::class.java).setup().get())
    }

    private fun shoot(name: String, activity: Activity) {
        val whole = draw(activity.window.decorView)
        val smaller = Bitmap.createScaledBitmap(whole, whole.width / 2, whole.height / 2, true)
        val folder = File(System.getProperty("anyir.repository"), "docs/images/android").apply { mkdirs() }
        File(folder, "$name.webp").outputStream().use { smaller.compress(Bitmap.CompressFormat.WEBP_LOSSY, 82, it) }
    }
}

/** An engine that another build has. */
private class TestEngineNamed(override val id: String, override val label: String) :
    EngineFactory by TestEngine(id, unavailable = NOT_IN_THIS_BUILD)

/** Waits after the second tile, so that a picture can be taken. */
private class Pausing(private val real: EngineFactory) : EngineFactory by real {
    @Volatile
    var gate = CountDownLatch(1)

    override fun open(model: Model, threads: Int, both: Boolean): Engine {
        val engine = real.open(model, threads = 1) // quicker on a busy computer
        return object : Engine by engine {
            private var tiles = 0

            override fun restore(input: FloatBuffer, statistics: Statistics, output: FloatBuffer): RunTiming {
                if (++tiles == 3) gate.await()
                return engine.restore(input, statistics, output)
            }
        }
    }
}
