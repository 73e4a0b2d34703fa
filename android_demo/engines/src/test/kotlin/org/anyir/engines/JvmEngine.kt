package org.anyir.engines

import org.anyir.core.Entry
import org.anyir.core.Manifest
import org.anyir.core.Model
import org.anyir.core.RunTiming
import org.anyir.core.Statistics
import org.bytedeco.javacpp.FloatPointer
import org.bytedeco.tensorflowlite.TfLiteInterpreter
import org.bytedeco.tensorflowlite.TfLiteModel
import org.bytedeco.tensorflowlite.TfLiteSignatureRunner
import org.bytedeco.tensorflowlite.TfLiteTensor
import org.bytedeco.tensorflowlite.global.tensorflowlite.TfLiteInterpreterCreate
import org.bytedeco.tensorflowlite.global.tensorflowlite.TfLiteInterpreterDelete
import org.bytedeco.tensorflowlite.global.tensorflowlite.TfLiteInterpreterGetSignatureRunner
import org.bytedeco.tensorflowlite.global.tensorflowlite.TfLiteInterpreterOptionsCreate
import org.bytedeco.tensorflowlite.global.tensorflowlite.TfLiteInterpreterOptionsDelete
import org.bytedeco.tensorflowlite.global.tensorflowlite.TfLiteInterpreterOptionsSetNumThreads
import org.bytedeco.tensorflowlite.global.tensorflowlite.TfLiteModelCreateFromFile
import org.bytedeco.tensorflowlite.global.tensorflowlite.TfLiteModelDelete
import org.bytedeco.tensorflowlite.global.tensorflowlite.TfLiteSignatureRunnerAllocateTensors
import org.bytedeco.tensorflowlite.global.tensorflowlite.TfLiteSignatureRunnerDelete
import org.bytedeco.tensorflowlite.global.tensorflowlite.TfLiteSignatureRunnerGetInputTensor
import org.bytedeco.tensorflowlite.global.tensorflowlite.TfLiteSignatureRunnerGetOutputTensor
import org.bytedeco.tensorflowlite.global.tensorflowlite.TfLiteSignatureRunnerInvoke
import org.bytedeco.tensorflowlite.global.tensorflowlite.TfLiteTensorByteSize
import org.bytedeco.tensorflowlite.global.tensorflowlite.TfLiteTensorCopyFromBuffer
import org.bytedeco.tensorflowlite.global.tensorflowlite.TfLiteTensorCopyToBuffer
import org.bytedeco.tensorflowlite.global.tensorflowlite.TfLiteVersion
import java.io.Closeable
import java.nio.FloatBuffer

private const val OK = 0

/** LiteRT on this machine's CPU, for tests alone: the same programs as on the phone. */
class JvmEngineFactory : EngineFactory {
    override val id = "litert-jvm"
    override val label = "LiteRT on the JVM"

    override fun unavailable(): String? = null

    override fun opens(manifest: Manifest): Boolean = manifest.runtime == "litert"

    override fun open(model: Model, threads: Int, both: Boolean): Engine = JvmEngine(model, threads, both)
}

private class JvmEngine(private val model: Model, override val threads: Int, both: Boolean) : Engine {
    override val name = "LiteRT on the JVM, ${model.manifest.name}"
    override val accelerator = "LiteRT (this machine's CPU)"
    override val version: String = TfLiteVersion().string
    override val tile = model.manifest.tile
    override val tileSize = model.manifest.tileSize
    private val programs = OpenEntries(name, model.file, both) { Program(it) }

    override fun newStatistics() = roomFor(model.manifest)

    override fun look(sheet: FloatBuffer, statistics: Statistics): RunTiming {
        checkOwn(statistics)
        val program = programs.having(LOOK)
        if (program.given === statistics) program.given = null
        return program.signature(LOOK).run(listOf(sheet), statistics.values)
    }

    /** The statistics stay where they are from tile to tile, as in Python. */
    override fun restore(input: FloatBuffer, statistics: Statistics, output: FloatBuffer): RunTiming {
        checkOwn(statistics)
        val program = programs.having(RESTORE)
        val inputs = listOf(input) + if (program.given === statistics) emptyList() else statistics.values
        return program.signature(RESTORE).run(inputs, listOf(output)).also { program.given = statistics }
    }

    override fun close() = programs.close()

    private fun check(status: Int, what: String) {
        if (status != OK) throw EngineException("$name failed to $what (status $status).")
    }

    /** An interpreter, with memory for these entries. */
    private inner class Program(entries: List<String>) : Closeable {
        private val file: TfLiteModel = TfLiteModelCreateFromFile(model.file.path)
            ?: throw EngineException("LiteRT on the JVM cannot load ${model.file.name}.")
        private val interpreter = interpreter(file)
        private val signatures = HashMap<String, Signature>()

        /** What `restore` has in its buffers. */
        var given: Statistics? = null

        init {
            try {
                for (key in entries) {
                    val entry = model.manifest.entries.run { if (key == LOOK) look else restore }
                    signatures[key] = Signature(interpreter, key, entry)
                }
            } catch (error: EngineException) {
                close()
                throw error
            }
        }

        fun signature(key: String) = signatures.getValue(key)

        private fun interpreter(file: TfLiteModel): TfLiteInterpreter {
            val options = TfLiteInterpreterOptionsCreate()
            TfLiteInterpreterOptionsSetNumThreads(options, threads)
            val interpreter = TfLiteInterpreterCreate(file, options)
            TfLiteInterpreterOptionsDelete(options)
            if (interpreter != null) return interpreter
            TfLiteModelDelete(file)
            throw EngineException("LiteRT on the JVM refuses ${model.file.name}.")
        }

        override fun close() {
            signatures.values.forEach { TfLiteSignatureRunnerDelete(it.runner) }
            TfLiteInterpreterDelete(interpreter)
            TfLiteModelDelete(file)
        }
    }

    private inner class Signature(interpreter: TfLiteInterpreter, key: String, entry: Entry) {
        val runner: TfLiteSignatureRunner = TfLiteInterpreterGetSignatureRunner(interpreter, key)
            ?: throw EngineException("$name has no signature $key.")
        private val inputs: List<TfLiteTensor>
        private val outputs: List<TfLiteTensor>

        init {
            check(TfLiteSignatureRunnerAllocateTensors(runner), "allocate $key")
            inputs = entry.inputs.map { TfLiteSignatureRunnerGetInputTensor(runner, it.name) }
            outputs = entry.outputs.map { TfLiteSignatureRunnerGetOutputTensor(runner, it.name) }
            for ((spec, tensor) in (entry.inputs + entry.outputs).zip(inputs + outputs)) {
                val found = TfLiteTensorByteSize(tensor)
                if (found != 4L * spec.size) {
                    throw EngineException("$name has a tensor of $found bytes; ${4 * spec.size} are due.")
                }
            }
        }

        /** Sets the first inputs, runs, and copies the outputs. */
        fun run(first: List<FloatBuffer>, results: List<FloatBuffer>): RunTiming {
            val start = System.nanoTime()
            for ((tensor, buffer) in inputs.zip(first)) {
                val taken = TfLiteTensorCopyFromBuffer(tensor, FloatPointer(buffer), 4L * buffer.capacity())
                check(taken, "take its input")
            }
            val copied = System.nanoTime()
            check(TfLiteSignatureRunnerInvoke(runner), "run")
            val ran = System.nanoTime()
            for ((tensor, buffer) in outputs.zip(results)) {
                val given = TfLiteTensorCopyToBuffer(tensor, FloatPointer(buffer), 4L * buffer.capacity())
                check(given, "give its output")
            }
            return RunTiming(copied - start, ran - copied, System.nanoTime() - ran)
        }
    }
}
