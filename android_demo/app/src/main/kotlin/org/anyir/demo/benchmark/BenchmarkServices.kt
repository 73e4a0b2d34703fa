package org.anyir.demo.benchmark

import android.app.Service
import android.content.Context
import android.content.Intent
import android.os.Binder
import android.os.Debug
import android.os.IBinder
import android.os.Parcel
import android.os.Process
import com.google.gson.JsonObject
import com.google.gson.JsonParser
import org.anyir.core.Manifest
import org.anyir.core.Model
import org.anyir.core.benchmark.BenchmarkSession
import org.anyir.core.benchmark.OpenProgram
import org.anyir.core.benchmark.ProcessMemory
import org.anyir.core.benchmark.UnsupportedException
import org.anyir.core.benchmark.sentence
import org.anyir.engines.Engines
import java.io.File

/**
 * A process for one program: its memory is its own, and its crash ends nothing else. The manifest gives each
 * subclass a process, and every program gets a new one: the other side ends it.
 */
abstract class BenchmarkService : Service() {
    override fun onBind(intent: Intent): IBinder = SessionBinder(applicationContext)

    companion object {
        /** One program each at a time. */
        val ALL = listOf(
            BenchmarkService0::class.java,
            BenchmarkService1::class.java,
            BenchmarkService2::class.java,
            BenchmarkService3::class.java,
        )
    }
}

class BenchmarkService0 : BenchmarkService()

class BenchmarkService1 : BenchmarkService()

class BenchmarkService2 : BenchmarkService()

class BenchmarkService3 : BenchmarkService()

/** Takes requests as text and answers with text; [OPEN] comes first and [PID] tells whom to end. */
internal class SessionBinder(private val context: Context) : Binder() {
    private var session: BenchmarkSession? = null

    override fun onTransact(code: Int, data: Parcel, reply: Parcel?, flags: Int): Boolean {
        if (code !in listOf(PID, OPEN, REQUEST) || reply == null) return super.onTransact(code, data, reply, flags)
        data.enforceInterface(DESCRIPTOR)
        when (code) {
            PID -> reply.writeInt(Process.myPid())
            OPEN -> reply.writeString(open(data.readString().orEmpty()))
            REQUEST -> reply.writeString(session?.answer(data.readString().orEmpty()) ?: failure("nothing is open"))
        }
        return true
    }

    /** The model was checked against its manifest by the side that asks. */
    private fun open(request: String): String = try {
        val fields = JsonParser.parseString(request).asJsonObject
        val file = File(fields["file"].asString)
        val manifest = Manifest.parse(File(file.parentFile, "${file.nameWithoutExtension}.json").readText())
        val engine = fields["engine"].asString
        val factory = Engines.byId(engine) ?: throw UnsupportedException("There is no engine $engine in this build.")
        val threads = fields["threads"].asInt
        session?.close()
        session = BenchmarkSession(referenceTiles(context), PssMemory()) {
            factory.unavailable()?.let { throw UnsupportedException(it) }
            val opened = factory.open(Model(manifest, file), threads, both = true)
            OpenProgram(
                opened,
                opened.accelerator,
                opened.version,
                opened.threads,
                opened.lookOperators,
                opened.restoreOperators,
                opened::close,
            )
        }
        "{}"
    } catch (error: Exception) { // a file that vanished, or tiles that were replaced: it becomes the row's reason
        failure(sentence(error))
    }

    private fun failure(message: String) = JsonObject().apply { addProperty("error", message) }.toString()

    companion object {
        const val DESCRIPTOR = "org.anyir.demo.benchmark"
        const val PID = FIRST_CALL_TRANSACTION
        const val OPEN = FIRST_CALL_TRANSACTION + 1
        const val REQUEST = FIRST_CALL_TRANSACTION + 2
    }
}

/** With the proportional share that Android counts. */
private class PssMemory : ProcessMemory() {
    override fun pssBytes(): Long? = Debug.MemoryInfo().let {
        Debug.getMemoryInfo(it)
        it.totalPss * 1024L
    }.takeIf { it > 0 }
}
