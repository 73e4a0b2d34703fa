package org.anyir.demo.ui

import android.net.Uri
import org.anyir.demo.restore.Export
import org.anyir.demo.restore.RestoreJobs
import org.anyir.demo.restore.RestoreState

/**
 * The main screen's view model: turns the state of the work into a [UiState] and passes on what the user does. Lives as
 * long as the screen is wanted, through rotations; the work itself belongs to [jobs]. Main thread only.
 */
class MainModel(private val jobs: RestoreJobs, private val catalogues: CatalogueSource) : RestoreJobs.Listener {
    private var work: RestoreState = jobs.state
    private var catalogue: Catalogue? = null
    private var saving: Saving = Saving.Not
    private var notice: String? = null
    private var startsWhenReady = false
    private var watcher: ((UiState) -> Unit)? = null

    val state: UiState get() = uiState(work, catalogue, saving, notice)

    /** Calls [watcher] at once and after every change, until [leave]. Looks the models up anew. */
    fun watch(watcher: (UiState) -> Unit) {
        this.watcher = watcher
        jobs.addListener(this)
        catalogues.load {
            catalogue = it
            remember()
            startIfDue()
            changed()
        }
    }

    fun leave() {
        watcher = null
        jobs.removeListener(this)
    }

    override fun onState(state: RestoreState) {
        if (state !is RestoreState.Done) saving = Saving.Not
        if (state is RestoreState.Failed || state is RestoreState.Idle) startsWhenReady = false
        val finished = state is RestoreState.Done && work is RestoreState.Running
        work = state
        if (finished) remember()
        startIfDue()
        changed()
    }

    override fun onMessage(message: String) {
        startsWhenReady = false
        say(message)
    }

    /** Opens a photo. [discard] gives an unsaved result up. */
    fun choose(photo: Uri, discard: Boolean) = act { jobs.choose(photo, discard) }

    /** Opens [photo] and restores it at once. */
    fun chooseAndRestore(photo: Uri) = act {
        startsWhenReady = true
        jobs.choose(photo)
    }

    fun restore() = act { start() }

    /** Of a photo that is being opened, or restored. */
    fun cancel() = act {
        startsWhenReady = false
        jobs.cancel()
    }

    fun close() = act { jobs.dismiss() }

    fun save(strength: Float) = act {
        saving = Saving.Now
        jobs.save(strength) { outcome ->
            saving = when (outcome) {
                is Export.Made -> Saving.Done(outcome)
                is Export.Refused -> Saving.Failed(outcome.message)
            }
            changed()
        }
    }

    /** Makes a file for other apps and gives it to [send]. */
    fun share(strength: Float, send: (Export.Made) -> Unit) = act {
        jobs.share(strength) { outcome ->
            when (outcome) {
                is Export.Made -> send(outcome)
                is Export.Refused -> say(outcome.message)
            }
        }
    }

    /** Shows one sentence until the next thing that the user does. */
    fun say(sentence: String) {
        notice = sentence
        changed()
    }

    private fun act(action: () -> Unit) {
        notice = null
        action()
        changed()
    }

    private fun start() {
        val choice = catalogue?.choice ?: return
        jobs.start(choice.model, choice.engine, half = work.photo?.onlyHalfSize == true)
    }

    private fun startIfDue() {
        if (!startsWhenReady || work !is RestoreState.Ready || catalogue == null) return
        startsWhenReady = false
        start()
    }

    private fun remember() {
        val done = work as? RestoreState.Done ?: return
        catalogue?.let { catalogues.remember(it, done.result) }
    }

    private fun changed() {
        watcher?.invoke(state)
    }
}
