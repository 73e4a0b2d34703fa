package org.anyir.demo.restore

import org.anyir.core.Need
import org.anyir.demo.photo.PhotoInfo
import java.io.File

/** What the restore screen shows. Immutable; every change is a new state. */
sealed interface RestoreState {
    /** The photo that this state is about, which can be restored, or null. */
    val photo: PhotoInfo? get() = null

    /** No photo. */
    object Idle : RestoreState

    /** A photo is copied and looked at. */
    object Opening : RestoreState

    /**
     * A photo can be restored.
     *
     * @property interrupted whether the app ended while it was being restored; it is offered again
     */
    class Ready(override val photo: PhotoInfo, val interrupted: Boolean = false) : RestoreState

    /**
     * A photo is being restored.
     *
     * @property done steps that are finished: the look at the whole photo, then its tiles; 0 also while the model loads
     * @property total steps in all, one more than there are tiles; 0 until it is known
     * @property millisLeft an estimate, or null before there is one
     * @property need how much the photo needs to be restored, or null before that is known
     * @property cancelling whether it was cancelled and ends with the tile that runs
     */
    class Running(
        override val photo: PhotoInfo,
        val done: Int,
        val total: Int,
        val millisLeft: Long?,
        val need: Need? = null,
        val cancelling: Boolean = false,
    ) : RestoreState {
        /** Tiles that are finished; null while the model loads or looks at the photo. */
        val tiles: Int? get() = if (done > 0) done - 1 else null
    }

    /** A photo is restored; the result is kept on this phone until it is dismissed. */
    class Done(override val photo: PhotoInfo, val result: RestoredPhoto) : RestoreState

    /**
     * Something went wrong.
     *
     * @property photo the photo, which can be restored again, or null where there is none to restore
     * @property message one sentence
     */
    class Failed(override val photo: PhotoInfo?, val message: String) : RestoreState
}

/**
 * A finished result, at full strength.
 *
 * @property file lossless PNG, upright, with the photo's colour profile and alpha
 * @property width in pixels, upright
 * @property height in pixels, upright
 * @property halfSize whether it has half the photo's width and height
 * @property model name of the artifact that ran
 * @property engine name of the engine that ran it
 * @property accelerator what it ran on, as far as the engine tells
 * @property millis from the model's loading to the last pixel
 * @property need how much the photo needed to be restored
 * @property saved whether it was saved at least once
 */
class RestoredPhoto(
    val file: File,
    val width: Int,
    val height: Int,
    val halfSize: Boolean,
    val model: String,
    val engine: String,
    val accelerator: String,
    val millis: Long,
    val need: Need,
    val saved: Boolean,
) {
    internal fun asSaved() =
        RestoredPhoto(file, width, height, halfSize, model, engine, accelerator, millis, need, saved = true)
}
