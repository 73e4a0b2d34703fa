package org.anyir.engines

import org.anyir.core.Manifest
import org.anyir.core.Model
import org.anyir.core.TileTiming
import org.pytorch.executorch.EValue
import org.pytorch.executorch.Module
import org.pytorch.executorch.Tensor
import java.nio.FloatBuffer

private const val FORWARD = "forward"

/** ExecuTorch with XNNPACK, on the CPU. */
internal class ExecuTorchFactory : EngineFactory {
    override val id = "executorch"
    override val label = "ExecuTorch (CPU)"

    private val reason by lazy { whyUnavailable("org.pytorch.executorch.Module") }

    override fun unavailable(): String? = reason

    override fun opens(manifest: Manifest): Boolean = manifest.runtime == "executorch" && manifest.backend == "xnnpack"

    override fun open(model: Model, threads: Int): Engine = engineCall("$label cannot load ${model.file.name}") {
        reason?.let { throw EngineException("$label cannot be used: $it.") }
        ExecuTorchEngine(model, threads)
    }
}

private class ExecuTorchEngine(model: Model, override val threads: Int) : Engine {
    override val name = "ExecuTorch, ${model.manifest.name}"
    override val tile = model.manifest.tile

    /** What is delegated was fixed when the program was made: it runs so, or does not load. */
    override val operators = model.manifest.operators
    override val accelerator = operators.run {
        if (delegated == total) "ExecuTorch (XNNPACK)" else "ExecuTorch (XNNPACK and portable kernels)"
    }

    private val module = Module.load(model.file.path, Module.LOAD_MODE_MMAP, threads)
    private val shape = longArrayOf(1, 3, tile.toLong(), tile.toLong())
    private var lastInput: FloatBuffer? = null
    private var value: EValue? = null

    init {
        try {
            module.loadMethod(FORWARD)
        } catch (error: Throwable) {
            module.destroy()
            throw error
        }
    }

    override fun run(input: FloatBuffer, output: FloatBuffer): TileTiming = engineCall("$name failed") {
        val start = System.nanoTime()
        val argument = wrap(input)
        val copied = System.nanoTime()
        val results = module.forward(argument)
        val ran = System.nanoTime()
        val result = results.firstOrNull()?.toTensor() ?: throw EngineException("$name gave no output.")
        if (result.numel() != 3L * tile * tile) {
            throw EngineException("$name gave ${result.numel()} values where ${3 * tile * tile} are due.")
        }
        output.clear()
        result.copyDataInto(output)
        TileTiming(copied - start, ran - copied, System.nanoTime() - ran)
    }

    /** The runtime reads a direct buffer in place, so the same buffer is wrapped once. */
    private fun wrap(input: FloatBuffer): EValue {
        val known = value
        if (known != null && lastInput === input) return known
        return EValue.from(Tensor.fromBlob(input, shape)).also {
            value = it
            lastInput = input
        }
    }

    override fun close() = module.destroy()
}
