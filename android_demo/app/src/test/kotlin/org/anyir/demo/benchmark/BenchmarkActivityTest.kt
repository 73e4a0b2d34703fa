package org.anyir.demo.benchmark

import android.app.ActivityManager
import android.app.ApplicationExitInfo
import android.content.ComponentName
import android.content.Context
import android.content.Intent
import android.os.BatteryManager
import android.os.Binder
import android.os.DeadObjectException
import android.os.IBinder
import android.os.Looper
import android.os.Parcel
import android.os.Process
import android.view.View
import android.view.ViewGroup
import android.widget.TextView
import com.google.gson.JsonObject
import com.google.gson.JsonParser
import org.anyir.core.Manifest
import org.anyir.core.Model
import org.anyir.core.ModelStore
import org.anyir.demo.BenchmarkActivity
import org.anyir.engines.Engine
import org.anyir.engines.EngineException
import org.anyir.engines.EngineFactory
import org.anyir.engines.Engines
import org.anyir.engines.JvmArtifacts
import org.anyir.engines.JvmEngineFactory
import org.junit.Assert.assertEquals
import org.junit.Assert.assertFalse
import org.junit.Assert.assertSame
import org.junit.Assert.assertTrue
import org.junit.Before
import org.junit.Test
import org.junit.runner.RunWith
import org.robolectric.Robolectric
import org.robolectric.RobolectricTestRunner
import org.robolectric.RuntimeEnvironment
import org.robolectric.Shadows.shadowOf
import org.robolectric.android.controller.ActivityController
import org.robolectric.shadows.ShadowLog
import org.robolectric.shadows.ShadowProcess
import java.io.File

/** The benchmark as adb starts it, with real programs by LiteRT on the JVM; the services are this process's. */
@RunWith(RobolectricTestRunner::class)
class BenchmarkActivityTest {
    private val context: Context get() = RuntimeEnvironment.getApplication()
    private val folder get() = File(context.filesDir, BenchmarkRun.FOLDER)
    private var controller: ActivityController<BenchmarkActivity>? = null

    @Before
    fun prepare() {
        Engines.install(JvmEngineFactory())
        Engines.install(Broken)
        BenchmarkRun.models = { ModelStore(listOf(it.getExternalFilesDir("models")!!)).list() }
        for (service in BenchmarkService.ALL) {
            bind(
                service,
                Robolectric.buildService(service).create().get().onBind(Intent()),
            )
        }
        @Suppress("DEPRECATION")
        context.sendStickyBroadcast(
            Intent(Intent.ACTION_BATTERY_CHANGED).putExtra(BatteryManager.EXTRA_LEVEL, 80)
                .putExtra(BatteryManager.EXTRA_SCALE, 100).putExtra(BatteryManager.EXTRA_TEMPERATURE, 305)
                .putExtra(BatteryManager.EXTRA_PLUGGED, BatteryManager.BATTERY_PLUGGED_USB),
        )
    }

    private fun bind(service: Class<*>, binder: IBinder) = shadowOf(RuntimeEnvironment.getApplication())
        .setComponentNameAndServiceForBindServiceForIntent(
            Intent(context, service),
            ComponentName(context, service),
            binder,
        )

    /** Loads nothing, and says why. */
    private object Broken : EngineFactory {
        override val id = "broken"
        override val label = "Broken"

        override fun unavailable(): String? = null

        override fun opens(manifest: Manifest) = manifest.precision == "fp32"

        override fun open(model: Model, threads: Int, both: Boolean): Engine =
            throw EngineException("This engine never loads.")
    }

    /** As the app would carry them: real programs and the reference tiles, pushed to the app's folder. */
    private fun push() {
        val assets = File(JvmArtifacts.folder, "assets")
        for (name in listOf("models", "reference")) {
            File(assets, name).copyRecursively(context.getExternalFilesDir(name)!!, overwrite = true)
        }
    }

    private fun start(intent: Intent.() -> Unit): BenchmarkState {
        val asked = Intent(context, BenchmarkActivity::class.java).apply(intent)
        controller = Robolectric.buildActivity(BenchmarkActivity::class.java, asked).setup()
        return await()
    }

    private fun await(): BenchmarkState {
        val end = System.nanoTime() + 300_000_000_000
        while (BenchmarkRun.state is BenchmarkState.Running && System.nanoTime() < end) {
            shadowOf(Looper.getMainLooper()).idle()
            Thread.sleep(5)
        }
        shadowOf(Looper.getMainLooper()).idle()
        return BenchmarkRun.state
    }

    private fun lastLine() = ShadowLog.getLogsForTag(BenchmarkRun.TAG).last().msg

    private fun texts(view: View): List<String> = when (view) {
        is ViewGroup -> (0 until view.childCount).flatMap { texts(view.getChildAt(it)) }
        is TextView -> listOf(view.text.toString())
        else -> emptyList()
    }

    private fun shown() = texts(controller!!.get().window.decorView)

    private fun failure(message: String, intent: Intent.() -> Unit) {
        val state = start(intent)
        assertTrue("$state", state is BenchmarkState.Failed)
        assertTrue((state as BenchmarkState.Failed).message, message in state.message)
        assertEquals("failed: ${state.message}", lastLine())
        assertTrue(state.message in shown())
        assertFalse("nothing is written", folder.exists() && folder.list()!!.isNotEmpty())
        controller!!.pause().stop().destroy()
    }

    @Test
    fun `every program by every engine is measured, and what fails is a row`() {
        push()
        val state = start {
            putExtra("runs", 3)
            putExtra("warmup", 1)
            putExtra("sustain_s", 1)
            putExtra("engines", "litert-jvm,broken,executorch")
            putExtra("out", "run1.json")
        }
        assertTrue((state as? BenchmarkState.Failed)?.message, state is BenchmarkState.Done)
        assertEquals(listOf("run1.json"), folder.list()!!.toList())
        val text = File(folder, "run1.json").readText()
        val results = JsonParser.parseString(text).asJsonObject
        val rows = results["rows"].asJsonArray.map { it.asJsonObject }
        val models = JvmArtifacts.models.map { it.manifest.name }
        val measured = rows.filter { it["engine"].asString == "litert-jvm" }
        assertEquals(models.toSet(), measured.map { it["name"].asString }.toSet())
        measured.forEach(::checkMeasured)
        val broken = rows.single { it["engine"].asString == "broken" }
        assertEquals("failed", broken["status"].asString)
        assertTrue("This engine never loads." in broken["error"].asString)
        assertEquals("done: files/benchmark/run1.json, ${models.size} of ${rows.size} programs measured", lastLine())
        assertTrue(shown().any { "This engine never loads." in it })
        assertTrue(shown().any { "ms for a tile" in it && "ms for the look at a photo" in it })
        System.getProperty("anyir.results")?.takeIf {
            it.isNotEmpty()
        }?.let { File(it).apply { parentFile.mkdirs() }.writeText(text) }
    }

    private fun checkMeasured(row: JsonObject) {
        assertEquals(row.toString(), "ok", row["status"].asString)
        assertEquals(3, row["latency"].asJsonObject["n"].asInt)
        val look = row["look"].asJsonObject
        assertEquals(3, look["latency"].asJsonObject["n"].asInt)
        assertTrue(look["first_run_ms"].asDouble > 0)
        assertEquals("LiteRT (this machine's CPU)", row["accelerator"].asString)
        assertTrue(row["runtime_version"].asString.startsWith("2."))
        val quality = row["quality"].asJsonObject
        assertEquals(9, quality.size())
        for ((kind, entry) in quality.entrySet()) {
            val psnr = entry.asJsonObject["psnr_reference"]
            assertTrue("$kind ${row["name"]}: $psnr", psnr.isJsonNull || psnr.asDouble > 30)
        }
        val before = row["conditions"].asJsonObject["before"].asJsonObject
        assertEquals(80.0, before["battery_percent"].asDouble, 0.0)
        assertEquals(30.5, before["battery_celsius"].asDouble, 0.0)
        assertEquals("usb", before["plugged"].asString)
        assertTrue(row["sustained"].asJsonObject["runs"].asJsonArray.size() > 0)
        assertTrue(row["peak_memory_bytes"].asLong >= 0)
    }

    @Test
    fun `wrong options are one sentence on the screen and in the log`() {
        push()
        failure("runs is 0") { putExtra("runs", 0) }
        failure("runs is not a whole number") { putExtra("runs", "thirty") }
        failure("There is no model \"zebra\" here; there is: tiny_") { putExtra("models", "zebra") }
        failure("There is no engine \"npu\" here") { putExtra("engines", "npu") }
        failure("without a folder") { putExtra("out", "../../shared_prefs/run1.json") }
        failure("There is no option \"speed\"") { putExtra("speed", 3) }
    }

    @Test
    fun `a phone without models or without tiles says so`() {
        failure("There are no reference tiles in this build") { putExtra("runs", 1) }
        File(JvmArtifacts.folder, "assets/reference").copyRecursively(context.getExternalFilesDir("reference")!!)
        failure("There is no model on this phone") { putExtra("runs", 1) }
        File(context.getExternalFilesDir("reference"), "inputs.u8").writeText("!")
        failure("The reference tiles are damaged") { putExtra("runs", 1) }
    }

    @Test
    fun `memory that runs out is one sentence`() {
        push()
        BenchmarkRun.models = { throw OutOfMemoryError() }
        failure("There is not enough memory") { putExtra("runs", 1) }
    }

    @Test
    fun `a request that comes again from the recent apps starts nothing`() {
        failure("runs is 0") { putExtra("runs", 0) }
        val before = BenchmarkRun.state
        val state = start {
            putExtra("runs", -1)
            addFlags(Intent.FLAG_ACTIVITY_LAUNCHED_FROM_HISTORY)
        }
        assertSame(before, state)
    }

    @Test
    fun `a model that was changed is a row, and the rest is measured`() {
        push()
        val changed = context.getExternalFilesDir("models")!!.listFiles()!!.first {
            it.name.endsWith("fp16_64x64.tflite")
        }
        changed.appendText("!")
        val state = start {
            putExtra("runs", 1)
            putExtra("warmup", 0)
            putExtra("engines", "litert-jvm")
        }
        val rows = (state as BenchmarkState.Done).results["rows"].asJsonArray.map { it.asJsonObject }
        val failed = rows.single { it["status"].asString == "failed" }
        assertTrue("is not the file that its manifest describes" in failed["error"].asString)
        assertEquals(JvmArtifacts.models.size - 1, rows.count { it["status"].asString == "ok" })
    }

    @Test
    fun `a process that dies, and one that never starts, are rows, and the rest is measured`() {
        push()
        bind(
            BenchmarkService.ALL[1],
            object : Binder() {
                override fun onTransact(code: Int, data: Parcel, reply: Parcel?, flags: Int): Boolean {
                    if (code == SessionBinder.REQUEST) throw DeadObjectException()
                    return SessionBinder(context).transact(code, data, reply, flags)
                }
            },
        )
        shadowOf(context.getSystemService(ActivityManager::class.java)).addApplicationExitInfo(
            context.packageName,
            Process.myPid(),
            ApplicationExitInfo.REASON_CRASH_NATIVE,
            0,
        )
        shadowOf(RuntimeEnvironment.getApplication())
            .declareComponentUnbindable(ComponentName(context, BenchmarkService.ALL[2]))
        val state = start {
            putExtra("runs", 1)
            putExtra("warmup", 0)
            putExtra("engines", "litert-jvm")
        }
        val rows = (state as BenchmarkState.Done).results["rows"].asJsonArray.map { it.asJsonObject }
        val errors = rows.map { if (it["error"].isJsonNull) null else it["error"].asString }
        assertEquals(3, rows.size)
        assertEquals(null, errors[0])
        assertEquals("Its process ended: it crashed in native code.", errors[1])
        assertEquals("The system did not start a process for it.", errors[2])
        assertEquals("done: files/benchmark/results.json, 1 of 3 programs measured", lastLine())
    }

    /** A service as if in processes of their own: each that is started has another pid, and dies when it is killed. */
    private inner class OwnProcess(private val first: Int) : Binder() {
        val pids = ArrayList<Int>()
        private var session = SessionBinder(context)

        override fun onTransact(code: Int, data: Parcel, reply: Parcel?, flags: Int): Boolean {
            if (code != SessionBinder.PID) return session.transact(code, data, reply, flags)
            check(pids.all(ShadowProcess::wasKilled)) { "the process of the program before is still there" }
            session = SessionBinder(context)
            pids += first + pids.size
            reply!!.writeInt(pids.last())
            return true
        }

        override fun linkToDeath(recipient: IBinder.DeathRecipient, flags: Int) {
            val pid = pids.last()
            Thread {
                while (!ShadowProcess.wasKilled(pid)) Thread.sleep(1)
                recipient.binderDied()
            }.apply { isDaemon = true }.start()
        }
    }

    @Test
    fun `each program has a process of its own, which is ended before the next one starts`() {
        push()
        Engines.install(Slow)
        val services = BenchmarkService.ALL.mapIndexed { i, service ->
            OwnProcess(1000 * (i + 1)).also { bind(service, it) }
        }
        val state = start {
            putExtra("runs", 1)
            putExtra("warmup", 0)
            putExtra("engines", "litert-jvm,slow")
        }
        val rows = (state as BenchmarkState.Done).results["rows"].asJsonArray.map { it.asJsonObject }
        val opened = rows.filter { it["error"].isJsonNull }
        assertTrue("more than there are services", opened.size > services.size)
        val pids = services.flatMap { it.pids }
        assertEquals("one for each", opened.size, pids.size)
        assertTrue("all ended", pids.all(ShadowProcess::wasKilled))
    }

    @Test
    fun `a screen that is left ends the benchmark with a reason`() {
        push()
        Engines.install(Slow)
        val asked = Intent(context, BenchmarkActivity::class.java).putExtra("engines", "slow").putExtra("runs", 10_000)
        controller = Robolectric.buildActivity(BenchmarkActivity::class.java, asked).setup()
        controller!!.pause().stop()
        val state = await()
        assertTrue("screen was left" in (state as BenchmarkState.Failed).message)
        assertTrue(lastLine().startsWith("failed: The benchmark's screen was left"))
    }
}
