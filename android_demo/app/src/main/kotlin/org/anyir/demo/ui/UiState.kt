package org.anyir.demo.ui

import org.anyir.core.Need
import org.anyir.demo.models.Choice
import org.anyir.demo.photo.PhotoInfo
import org.anyir.demo.restore.Export
import org.anyir.demo.restore.RestoreState
import org.anyir.demo.restore.RestoredPhoto

/** The parts of the main screen that take turns. */
enum class Screen { START, OPENING, READY, RUNNING, DONE, FAILED }

/** Whether there is something to restore with. */
enum class Models { LOOKING, NONE, NONE_RUNS, SOME }

/** How far a restoration is; see [RestoreState.Running]. */
data class Progress(
    val done: Int,
    val total: Int,
    val tiles: Int?,
    val millisLeft: Long?,
    val need: Need?,
    val cancelling: Boolean,
)

/** What became of the last tap on Save. */
sealed interface Saving {
    object Not : Saving

    object Now : Saving

    class Done(val made: Export.Made) : Saving

    class Failed(val message: String) : Saving
}

/** All that the main screen shows. Immutable: every change is a new one. */
data class UiState(
    val screen: Screen,
    val photo: PhotoInfo? = null,
    val result: RestoredPhoto? = null,
    val progress: Progress? = null,
    val message: String? = null,
    val interrupted: Boolean = false,
    val models: Models = Models.LOOKING,
    val choice: Choice? = null,
    val saving: Saving = Saving.Not,
    /** What is chosen now, where something else made the result; null: the same, or nothing can run. */
    val again: Choice? = null,
    /** One sentence that belongs to no state, such as why a second photo is not taken. */
    val notice: String? = null,
) {
    val canRestore: Boolean get() = choice != null && (photo != null || screen == Screen.START)
    val canClose: Boolean get() = screen == Screen.READY || screen == Screen.DONE || screen == Screen.FAILED

    /** Whether closing would lose a result. */
    val unsaved: Boolean get() = result != null && !result.saved
}

/**
 * What the screen shows.
 *
 * @param work the state of the work
 * @param catalogue what there is to restore with, or null before it was looked up
 * @param saving what became of the last tap on Save
 * @param notice one sentence to show beside the state
 */
fun uiState(work: RestoreState, catalogue: Catalogue?, saving: Saving = Saving.Not, notice: String? = null): UiState {
    val state = when (work) {
        is RestoreState.Idle -> UiState(Screen.START)
        is RestoreState.Opening -> UiState(Screen.OPENING)
        is RestoreState.Ready -> UiState(Screen.READY, work.photo, interrupted = work.interrupted)
        is RestoreState.Running -> UiState(
            Screen.RUNNING,
            work.photo,
            progress = Progress(work.done, work.total, work.tiles, work.millisLeft, work.need, work.cancelling),
        )
        is RestoreState.Done -> UiState(
            Screen.DONE,
            work.photo,
            work.result,
            saving = saving,
            again = catalogue?.choice?.takeUnless { made(work.result, it) },
        )
        is RestoreState.Failed -> UiState(Screen.FAILED, work.photo, message = work.message)
    }
    return state.copy(models = models(catalogue), choice = catalogue?.choice, notice = notice)
}

private fun made(result: RestoredPhoto, choice: Choice) =
    result.model == choice.model.manifest.name && result.engine == choice.engine.label

private fun models(catalogue: Catalogue?): Models = when {
    catalogue == null -> Models.LOOKING
    catalogue.choice != null -> Models.SOME
    catalogue.models.isEmpty() -> Models.NONE
    else -> Models.NONE_RUNS
}
