package org.anyir.demo.restore

import android.content.Context
import android.net.Uri
import org.anyir.demo.photo.PhotoInbox
import org.anyir.demo.photo.PhotoInfo
import java.io.File
import java.util.concurrent.CancellationException
import java.util.concurrent.ExecutionException
import java.util.concurrent.FutureTask

/**
 * A photo on its way into the app, on a thread of its own: another app may never answer, and Android cannot end such a
 * call. When it is cancelled, its thread is left to end when it can, and what it copied is deleted then.
 *
 * @param target where the photo will lie
 */
internal class Opening(context: Context, uri: Uri, private val target: File) {
    private val inbox = PhotoInbox(context, target)
    private val task = FutureTask { inbox.take(uri) }

    /** The photo, or null when it was cancelled. Blocks; throws what [PhotoInbox.take] throws. */
    fun await(): PhotoInfo? {
        Thread({ take() }, "open").start()
        return try {
            task.get()
        } catch (_: CancellationException) {
            null
        } catch (error: ExecutionException) {
            throw error.cause ?: error
        }
    }

    private fun take() {
        task.run()
        if (task.isCancelled) target.delete()
    }

    /** False where it is too late: the photo is here, or was refused. */
    fun cancel(): Boolean = task.cancel(true).also { if (it) inbox.stop() }
}
