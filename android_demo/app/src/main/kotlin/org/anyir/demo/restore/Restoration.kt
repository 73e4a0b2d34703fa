package org.anyir.demo.restore

import org.anyir.core.CancelledException
import org.anyir.core.LookException
import org.anyir.core.Model
import org.anyir.core.Need
import org.anyir.core.PhotoRestorer
import org.anyir.core.PhotoSink
import org.anyir.core.RestoreException
import org.anyir.demo.R
import org.anyir.demo.photo.PhotoException
import org.anyir.demo.photo.PhotoInfo
import org.anyir.demo.photo.ResultWriter
import org.anyir.demo.photo.Sentence
import org.anyir.demo.photo.UprightSource
import org.anyir.demo.photo.saysNoSpace
import org.anyir.engines.EngineException
import org.anyir.engines.EngineFactory
import java.io.File
import java.io.IOException

/** One photo through one model: what is asked for. */
internal class Restoration(
    val photo: PhotoInfo,
    private val model: Model,
    private val engine: EngineFactory,
    private val half: Boolean,
    private val threads: Int,
) {
    /**
     * Restores the photo into [result], which is there only when it is whole. Blocks.
     *
     * @param progress called with (done, total, what the photo needs; null before that is known) after every step
     * @throws CancelledException [cancelled] said so
     * @throws PhotoException anything else that went wrong, in one sentence
     */
    fun run(result: File, progress: (Int, Int, Need?) -> Unit, cancelled: () -> Boolean): RestoredPhoto {
        val start = System.nanoTime()
        var need: Need? = null
        val growing = File(result.parentFile, "${result.name}.part")
        try {
            val opened = engine.open(model, threads)
            val size = opened.use { running ->
                UprightSource.open(photo, half).use { source ->
                    ResultWriter(growing, photo, source).use { writer ->
                        val sink = object : PhotoSink {
                            override fun writeRows(y: Int, rows: Int, argb: IntArray) = writer.write(argb, rows)
                        }
                        val step = { done: Int, total: Int -> progress(done, total, need) }
                        PhotoRestorer(running).restore(source, sink, step, cancelled) { need = it }
                        writer.finish()
                    }
                    Pair(source.width, source.height)
                }
            }
            if (!growing.renameTo(result)) throw PhotoException(R.string.result_not_kept)
            val millis = (System.nanoTime() - start) / 1_000_000
            return RestoredPhoto(
                result,
                size.first,
                size.second,
                half,
                model.manifest.name,
                engine.label,
                opened.accelerator,
                millis,
                checkNotNull(need),
                saved = false,
            )
        } catch (error: Throwable) {
            throw inOneSentence(error)
        } finally {
            growing.delete()
        }
    }

    /** Native libraries may throw anything, errors among them; the app goes on. */
    private fun inOneSentence(error: Throwable): Exception = when (error) {
        is CancelledException, is PhotoException -> error
        is EngineException -> PhotoException(Sentence(R.string.verbatim, listOf(error.message.orEmpty())), error)
        is LookException -> PhotoException(R.string.look_not_finite, error)
        is RestoreException -> PhotoException(R.string.model_not_finite, error)
        is OutOfMemoryError -> PhotoException(R.string.no_memory, error)
        is IOException -> PhotoException(
            if (error.saysNoSpace()) R.string.no_space_for_result else R.string.result_not_kept,
            error,
        )
        else -> PhotoException(
            Sentence(R.string.engine_stopped, listOf(engine.label, model.manifest.name, reason(error))),
            error,
        )
    }

    private fun reason(error: Throwable): String =
        error.message?.lineSequence()?.firstOrNull()?.trim()?.trimEnd('.')?.take(120)?.ifEmpty { null }
            ?: error.javaClass.simpleName
}
