package org.anyir.engines

import org.anyir.core.Manifest
import org.anyir.core.Model
import org.anyir.core.RunTiming
import org.anyir.core.Statistics
import org.anyir.core.TensorSpec
import org.pytorch.executorch.EValue
import org.pytorch.executorch.Module
import org.pytorch.executorch.Tensor
import java.io.Closeable
import java.nio.FloatBuffer

/** ExecuTorch with XNNPACK, on the CPU. */
internal class ExecuTorchFactory : EngineFactory {
    override val id = "executorch"
    override val label = "ExecuTorch (CPU)"

    private val reason by lazy { whyUnavailable("org.pytorch.executorch.Module") }

    override fun unavailable(): String? = reason

    override fun opens(manifest: Manifest): Boolean = manifest.runtime == "executorch" && manifest.backend == "xnnpack"

    override fun open(model: Model, threads: Int, both: Boolean): Engine =
        engineCall("$label cannot load ${model.file.name}") {
            reason?.let { throw EngineException("$label cannot be used: $it.") }
            ExecuTorchEngine(model, threads, both)
        }
}

private class ExecuTorchEngine(model: Model, override val threads: Int, both: Boolean) : Engine {
    override val name = "ExecuTorch, ${model.manifest.name}"
    override val tile = model.manifest.tile
    override val tileSize = model.manifest.tileSize
    private val manifest = model.manifest
    private val entries = manifest.entries
    private val image = entries.look.inputs[0]
    private val restored = entries.restore.outputs[0]

    /** What is delegated was fixed when the program was made: it runs so, or does not load. */
    override val lookOperators = entries.look.operators
    override val restoreOperators = entries.restore.operators
    override val accelerator = if (listOf(lookOperators, restoreOperators).all { it.delegated == it.total }) {
        "ExecuTorch (XNNPACK)"
    } else {
        "ExecuTorch (XNNPACK and portable kernels)"
    }

    private val images = Wrapped(listOf(image))
    private val given = Wrapped(entries.statistics)

    init {
        // What refuses `restore` says so now, not after a photo was looked at.
        if (!both) Loaded(model.file.path, threads, listOf(RESTORE)).close()
    }

    private val modules = OpenEntries(name, model.file, both) { Loaded(model.file.path, threads, it) }

    override fun newStatistics() = roomFor(manifest)

    /** The results lie in the program's own memory until it runs again, so they are copied. */
    override fun look(sheet: FloatBuffer, statistics: Statistics): RunTiming = engineCall("$name failed") {
        checkOwn(statistics)
        timed(LOOK, { images.of(listOf(sheet)) }, entries.statistics, statistics.values)
    }

    override fun restore(input: FloatBuffer, statistics: Statistics, output: FloatBuffer): RunTiming =
        engineCall("$name failed") {
            checkOwn(statistics)
            val inputs = { images.of(listOf(input)) + given.of(statistics.values) }
            timed(RESTORE, inputs, listOf(restored), listOf(output))
        }

    private fun timed(
        method: String,
        inputs: () -> Array<EValue>,
        specs: List<TensorSpec>,
        outputs: List<FloatBuffer>,
    ): RunTiming {
        val module = modules.having(method).module
        val start = System.nanoTime()
        val arguments = inputs()
        val copied = System.nanoTime()
        val results = module.execute(method, *arguments)
        val ran = System.nanoTime()
        if (results.size != outputs.size) {
            throw EngineException("$name gave ${results.size} outputs of $method where ${outputs.size} are due.")
        }
        for ((i, output) in outputs.withIndex()) {
            val result = results[i].toTensor()
            checkSize(result.numel(), specs[i].size, specs[i].name)
            output.clear()
            result.copyDataInto(output)
        }
        return RunTiming(copied - start, ran - copied, System.nanoTime() - ran)
    }

    override fun close() = modules.close()
}

/** A module with these methods. It cannot give a single one back: its interface loads methods and unloads none. */
private class Loaded(path: String, threads: Int, methods: List<String>) : Closeable {
    val module: Module = Module.load(path, Module.LOAD_MODE_MMAP, threads)

    init {
        try {
            methods.forEach(module::loadMethod)
        } catch (error: Throwable) {
            module.destroy()
            throw error
        }
    }

    override fun close() = module.destroy()
}

/** The runtime reads direct buffers in place, so the same buffers are wrapped once. */
private class Wrapped(private val specs: List<TensorSpec>) {
    private var buffers = emptyList<FloatBuffer>()
    private var values = emptyArray<EValue>()

    fun of(buffers: List<FloatBuffer>): Array<EValue> {
        val known = buffers.size == this.buffers.size && buffers.indices.all { buffers[it] === this.buffers[it] }
        if (!known) {
            values = Array(buffers.size) { EValue.from(Tensor.fromBlob(buffers[it], specs[it].shape.toLongArray())) }
            this.buffers = buffers
        }
        return values
    }
}
