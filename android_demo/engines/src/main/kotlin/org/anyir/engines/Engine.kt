package org.anyir.engines

import org.anyir.core.Manifest
import org.anyir.core.Model
import org.anyir.core.Operators
import org.anyir.core.TileRunner
import java.io.Closeable

/** An engine failed to load or to run a model. The message is one sentence for the user. */
class EngineException(message: String, cause: Throwable? = null) : Exception(message, cause)

/** A loaded model. One thread at a time. */
interface Engine : TileRunner, Closeable {
    /** The engine and the model, for people. */
    val name: String

    /**
     * What runs, such as "ExecuTorch (XNNPACK)". What the runtime was asked for and does not tell whether it did is
     * marked so: "LiteRT CPU (XNNPACK asked for)".
     */
    val accelerator: String

    /** CPU threads that the runtime was asked to take; null where it was asked for none, as on a GPU. */
    val threads: Int? get() = null

    /**
     * How much of the entry that looks the accelerator takes on this phone; null where the runtime does not tell.
     */
    val lookOperators: Operators? get() = null

    /** The same of the entry that restores. */
    val restoreOperators: Operators? get() = null

    /** The runtime's version, where it tells. */
    val version: String? get() = null
}

/** A runtime that can load models. */
interface EngineFactory {
    /** "litert-interpreter", "litert-cpu", "litert-gpu" or "executorch". */
    val id: String

    /** For people. */
    val label: String

    /** Null where it can be used; else why not, such as [NOT_IN_THIS_BUILD]. */
    fun unavailable(): String?

    /** Whether it is made for this kind of model. */
    fun opens(manifest: Manifest): Boolean

    /**
     * Loads a model.
     *
     * @param threads CPU threads, at least 1
     * @param both keep both entries loaded, for looks and tiles in turn, as the benchmark does; else one at a time,
     * which takes less memory: an entry is then loaded by the first call that needs it, in that call's time but in no
     * [org.anyir.core.RunTiming]
     * @throws EngineException one of the entries cannot be loaded; nothing else is loaded instead
     */
    fun open(model: Model, threads: Int, both: Boolean = false): Engine
}

/** What [EngineFactory.unavailable] says where the runtime's classes were not packaged. */
const val NOT_IN_THIS_BUILD = "not in this build"
