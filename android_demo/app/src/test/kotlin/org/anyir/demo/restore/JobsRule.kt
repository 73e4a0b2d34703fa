package org.anyir.demo.restore

import android.app.Application
import android.content.Intent
import android.os.Looper
import org.anyir.demo.models.AppModels
import org.anyir.demo.photo.TestPhotos
import org.anyir.engines.EngineFactory
import org.junit.Assert.assertTrue
import org.junit.rules.ExternalResource
import org.robolectric.Robolectric
import org.robolectric.RuntimeEnvironment
import org.robolectric.Shadows.shadowOf
import java.io.File
import java.util.concurrent.ExecutorService
import java.util.concurrent.Executors
import java.util.concurrent.TimeUnit

/** The app's jobs between another app that shares photos and the system's collection of pictures. */
class JobsRule : ExternalResource(), RestoreJobs.Listener {
    lateinit var app: Application
    lateinit var jobs: RestoreJobs
    lateinit var gallery: GalleryApp
    lateinit var media: MediaStoreApp

    /** Every state and message since the start. */
    val states = ArrayList<RestoreState>()
    val messages = ArrayList<String>()

    /** The app's private folder. */
    val folder: File get() = File(app.filesDir, RestoreJobs.FOLDER)

    private val workers = ArrayList<ExecutorService>()

    override fun before() {
        AppModels.instance = null // of another test's app
        app = RuntimeEnvironment.getApplication()
        gallery = GalleryApp.install(File("src/test/photos"))
        media = MediaStoreApp.install(File(app.cacheDir, "media").also { it.mkdirs() })
        newProcess()
    }

    override fun after() {
        RestoreJobs.instance = null
        AppModels.instance = null
        workers.forEach { it.shutdownNow() }
    }

    /** What happens when Android ends the app and the user opens it again: only files are left. */
    fun newProcess() {
        val worker = Executors.newSingleThreadExecutor().also { workers += it }
        jobs = RestoreJobs(app, folder, worker)
        RestoreJobs.instance = jobs
        jobs.addListener(this)
    }

    override fun onState(state: RestoreState) {
        states += state
    }

    override fun onMessage(message: String) {
        messages += message
    }

    /** Waits until the jobs' thread has nothing to do and the main thread knows it. */
    fun settle() {
        val worker = workers.last()
        repeat(2) {
            worker.submit {}.get(60, TimeUnit.SECONDS)
            shadowOf(Looper.getMainLooper()).idle()
        }
    }

    fun choose(name: String, discard: Boolean = false): RestoreState {
        jobs.choose(GalleryApp.uri(name), discard)
        settle()
        return jobs.state
    }

    /** Starts the service that was asked for, as Android does. */
    fun startService(): RestoreService {
        val intent: Intent = checkNotNull(shadowOf(app).nextStartedService) { "no service was asked for" }
        return Robolectric.buildService(RestoreService::class.java, intent).create().startCommand(0, 1).get()
    }

    fun restore(engine: EngineFactory = TestEngine(), tile: Int = 16, half: Boolean = false): RestoreState {
        jobs.start(testModel(tile = tile), engine, half)
        if (jobs.state is RestoreState.Running) startService()
        settle()
        return jobs.state
    }

    fun save(strength: Float = 1f): Export {
        var export: Export? = null
        jobs.save(strength) { export = it }
        settle()
        return checkNotNull(export)
    }

    /** The message of a failure, which must be one sentence. */
    fun failure(state: RestoreState): String = sentence((state as RestoreState.Failed).message)

    fun sentence(message: String): String {
        assertTrue(
            message,
            message.endsWith(".") && '\n' !in message && message.length in 10..200 && "Exception" !in message,
        )
        return message
    }

    /** Pixels of the result that is kept. */
    fun resultPixels(): IntArray = TestPhotos.pixels((jobs.state as RestoreState.Done).result.file)
}
