package org.anyir.demo.restore

import android.annotation.SuppressLint
import android.content.Context
import android.content.Intent
import android.net.Uri
import android.os.Handler
import android.os.Looper
import android.util.Log
import org.anyir.core.CancelledException
import org.anyir.core.Model
import org.anyir.demo.R
import org.anyir.demo.benchmark.BenchmarkRun
import org.anyir.demo.benchmark.BenchmarkState
import org.anyir.demo.photo.PhotoException
import org.anyir.demo.photo.PhotoInfo
import org.anyir.demo.photo.Sentence
import org.anyir.demo.photo.saysNoSpace
import org.anyir.engines.EngineFactory
import java.io.File
import java.io.IOException
import java.util.concurrent.CopyOnWriteArrayList
import java.util.concurrent.ExecutorService
import java.util.concurrent.Executors

/**
 * The one photo that the app works on, from being chosen to being saved. It belongs to the process, not to a screen:
 * rotation and leaving the app do not touch it, and what the process leaves behind when it ends is found again.
 *
 * All functions are called on the main thread, and listeners are called there. One background thread does the work, and
 * so owns the engine.
 *
 * @param folder what is kept lies here
 */
class RestoreJobs internal constructor(
    private val context: Context,
    folder: File,
    private val worker: ExecutorService,
) {
    interface Listener {
        /** Called at once when added, and after every change. */
        fun onState(state: RestoreState)

        /** One sentence that belongs to no state, such as why a second photo is not taken. */
        fun onMessage(message: String) = Unit
    }

    private val main = Handler(Looper.getMainLooper())
    private val listeners = CopyOnWriteArrayList<Listener>()
    private val kept = Kept(folder)
    private val exporter = ResultExport(context, kept.shared)
    private var waiting: Restoration? = null
    private var stop = Stop()
    private var opening: Opening? = null

    /** The result that was saved last. Of the worker. */
    private var saved: RestoredPhoto? = null

    /** What is shown again where the photo that is opened, or the restoration that runs, comes to nothing. */
    private var before: RestoreState = RestoreState.Idle

    var state: RestoreState = kept.load()
        private set

    fun addListener(listener: Listener) {
        listeners += listener
        listener.onState(state)
    }

    fun removeListener(listener: Listener) {
        listeners -= listener
    }

    /**
     * Opens a photo: [RestoreState.Opening], then [RestoreState.Ready], or [RestoreState.Failed] without a photo. Where
     * it cannot be opened and there was a photo before, that one stays, and a message says why.
     *
     * Refused with a message while a photo is opened or restored, and where it would discard a result that was never
     * saved, unless [discard] says so.
     */
    fun choose(uri: Uri, discard: Boolean = false) {
        val now = state
        when {
            now is RestoreState.Running -> return say(R.string.busy_restoring)
            now is RestoreState.Opening -> return say(R.string.busy_opening)
            now is RestoreState.Done && !now.result.saved && !discard -> return say(R.string.unsaved_result)
        }
        before = now
        val opening = Opening(context, uri, kept.newPhoto())
        this.opening = opening
        show(RestoreState.Opening)
        work {
            opening.await()?.let { photo ->
                kept.keep(photo, running = false, result = null)
                RestoreState.Ready(photo)
            }
        }
    }

    /**
     * Restores the photo that is ready, that failed, or that is done, in a foreground service.
     *
     * Refused with a message where there is no photo, one is restored already, the phone is being measured, or this
     * engine cannot run this model.
     *
     * @param half at half its width and height, which a photo with [PhotoInfo.onlyHalfSize] needs
     */
    fun start(model: Model, engine: EngineFactory, half: Boolean = false) {
        if (state is RestoreState.Running) return say(R.string.busy_restoring)
        if (BenchmarkRun.state is BenchmarkState.Running) return say(R.string.busy_measuring)
        val photo = state.photo ?: return say(R.string.choose_first)
        if (photo.onlyHalfSize && !half) {
            return say(R.plurals.only_half_size, photo.roundMegapixels, PhotoInfo.MAX_MEGAPIXELS)
        }
        engine.unavailable()?.let { return say(R.string.engine_unavailable, engine.label, it) }
        if (!engine.opens(model.manifest)) {
            return say(R.string.engine_not_for_model, engine.label, model.manifest.name)
        }

        before = state as? RestoreState.Done ?: RestoreState.Ready(photo)
        val threads = minOf(MAX_THREADS, Runtime.getRuntime().availableProcessors())
        waiting = Restoration(photo, model, engine, half, threads)
        stop = Stop()
        show(RestoreState.Running(photo, done = 0, total = 0, millisLeft = null))
        try {
            context.startForegroundService(Intent(context, RestoreService::class.java))
        } catch (_: RuntimeException) { // refused while the app is not on the screen
            waiting = null
            fail(Sentence(R.string.not_in_background))
        }
    }

    /** Called by the service once it is in the foreground. */
    internal fun runWaiting() {
        val restoration = waiting ?: return
        waiting = null
        val stop = stop
        val photo = restoration.photo
        val shown = (before as? RestoreState.Done)?.result
        val left = TimeLeft()
        work {
            val earlier = shown?.let(::asKnown)
            kept.keep(photo, running = true, result = earlier)
            try {
                val result = restoration.run(
                    kept.newResult(),
                    { done, total, need ->
                        val millis = left.after(done, total)
                        main.post { if (!stop.asked) show(RestoreState.Running(photo, done, total, millis, need)) }
                    },
                    stop::asked,
                )
                // Called off in its last tile, or while its file was ended: the restoration itself asked before.
                if (!stop.tooLate()) throw CancelledException()
                kept.keep(photo, running = false, result = result)
                RestoreState.Done(photo, result)
            } catch (error: Throwable) { // memory that runs out too
                kept.keep(photo, running = false, result = earlier)
                throw error
            }
        }
    }

    /**
     * Ends the restoration that runs with the tile that it is at, or stops waiting for a photo that is being opened.
     * Nothing of it is kept.
     */
    fun cancel() {
        if (state is RestoreState.Opening && opening?.cancel() == true) return show(before)
        val now = state as? RestoreState.Running ?: return
        if (!stop.ask()) return // the result is on its way to the screen
        if (waiting != null) {
            waiting = null
            show(before)
        } else {
            show(RestoreState.Running(now.photo, now.done, now.total, null, now.need, cancelling = true))
        }
    }

    /** Forgets the photo and its result. Not while one is being opened or restored. */
    fun dismiss() {
        if (state is RestoreState.Running || state is RestoreState.Opening) return
        show(RestoreState.Idle)
        worker.execute { kept.clear() }
    }

    /**
     * Saves the result as a new picture in the phone's gallery.
     *
     * @param strength 0..1, how much of the restoration: 0 is the photo, 1 the result
     * @param callback on the main thread; may be called after the screen is gone
     */
    fun save(strength: Float, callback: (Export) -> Unit) = export(callback) { done ->
        exporter.save(done.photo, done.result, strength).also {
            val result = done.result.asSaved()
            saved = result
            kept.keep(done.photo, running = false, result = result)
            val next = RestoreState.Done(done.photo, result)
            main.post {
                // A restoration may have begun meanwhile; if it comes to nothing, this is shown again.
                if (before === done) before = next
                if (state === done) show(next)
            }
        }
    }

    /** On the worker: the same result, saved where a save that was asked for before has ended. */
    private fun asKnown(result: RestoredPhoto) = saved?.takeIf { it.file == result.file } ?: result

    /** Makes a file that other apps can be given; see [save]. */
    fun share(strength: Float, callback: (Export) -> Unit) =
        export(callback) { done -> exporter.share(done.photo, done.result, strength) }

    private fun export(callback: (Export) -> Unit, make: (RestoreState.Done) -> Export.Made) {
        val done = state as? RestoreState.Done ?: return callback(refused(Sentence(R.string.nothing_to_save)))
        worker.execute {
            val outcome = try {
                make(done)
            } catch (error: IOException) {
                refused(sentence(error))
            } catch (error: OutOfMemoryError) {
                Log.e(TAG, "out of memory", error)
                refused(Sentence(R.string.no_memory_to_save))
            } catch (error: RuntimeException) {
                Log.e(TAG, "unexpected", error)
                refused(Sentence(R.string.unexpected_saving, listOf(error.javaClass.simpleName)))
            }
            main.post { callback(outcome) }
        }
    }

    private fun refused(sentence: Sentence) = Export.Refused(sentence.text(context.resources))

    /** Does [step] on the worker and shows the state that it returns, if any, or what went wrong. */
    private fun work(step: () -> RestoreState?) = worker.execute {
        try {
            step()?.let { next -> main.post { show(next) } }
        } catch (_: CancelledException) {
            main.post { show(before) }
        } catch (error: IOException) {
            main.post { fail(sentence(error)) }
        } catch (error: OutOfMemoryError) {
            Log.e(TAG, "out of memory", error)
            main.post { fail(Sentence(R.string.no_memory)) }
        } catch (error: RuntimeException) { // a fault of the app's own: it is said, and the photo is not lost
            Log.e(TAG, "unexpected", error)
            main.post { fail(Sentence(R.string.unexpected, listOf(error.javaClass.simpleName))) }
        }
    }

    /** A result, or a photo that another one should have followed, stays; else the failure is what is shown. */
    private fun fail(sentence: Sentence) {
        val message = sentence.text(context.resources)
        val earlier = before
        if (earlier is RestoreState.Done || earlier is RestoreState.Ready && state is RestoreState.Opening) {
            show(earlier)
            say(message)
        } else {
            show(RestoreState.Failed(earlier.photo, message))
        }
    }

    private fun sentence(error: IOException): Sentence = (error as? PhotoException)?.sentence
        ?: Sentence(if (error.saysNoSpace()) R.string.no_space else R.string.not_written)

    private fun show(next: RestoreState) {
        state = next
        listeners.forEach { it.onState(next) }
    }

    private fun say(id: Int, vararg values: Any) = say(Sentence(id, values.toList()).text(context.resources))

    private fun say(message: String) = listeners.forEach { it.onMessage(message) }

    companion object {
        @SuppressLint("StaticFieldLeak") // the application's context, which lives as long as the process
        internal var instance: RestoreJobs? = null

        /** The process's own. On the main thread. */
        fun of(context: Context): RestoreJobs = instance ?: context.applicationContext.let { app ->
            RestoreJobs(app, File(app.filesDir, FOLDER), Executors.newSingleThreadExecutor { Thread(it, "restore") })
        }.also { instance = it }

        /** More would be phones' small cores, which only slow the large ones down. */
        private const val MAX_THREADS = 4
        private const val TAG = "anyir"

        /** In the app's private files. */
        internal const val FOLDER = "restore"
    }
}
