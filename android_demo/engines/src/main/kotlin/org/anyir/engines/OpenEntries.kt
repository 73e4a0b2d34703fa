package org.anyir.engines

import java.io.File

/**
 * A program's entries as a runtime has them open: both, or one at a time.
 *
 * A runtime keeps memory for an entry from its first run on, or from its loading. A photo needs `look` once, so its
 * memory is given back before `restore` takes its own.
 *
 * @param name the engine and the model, for people
 * @param file the program. Nothing may change it while it is used: the entries would be of two programs
 * @param both for looks and tiles in turn. Else an entry is opened when it is used, and the other one closed before
 * @param kept an entry that is opened at once and stays open, whose runtime may refuse the program: so that it does
 * before a photo is looked at. Null for none
 * @param open opens these entries
 */
internal class OpenEntries<P : AutoCloseable>(
    private val name: String,
    private val file: File,
    both: Boolean,
    private val kept: String? = null,
    private val open: (entries: List<String>) -> P,
) : AutoCloseable {
    private val lengthAndTime = identity()
    private val staying: P? = if (both || kept == null) null else open(listOf(kept))
    private var entries = if (both) listOf(LOOK, RESTORE) else listOf(LOOK)
    private var program: P? = try {
        open(entries)
    } catch (error: Throwable) {
        staying?.close()
        throw error
    }

    /**
     * The program with this entry open.
     *
     * @throws EngineException it cannot be opened, or the file is not the one that it was
     */
    fun having(entry: String): P {
        program?.let { if (entry in entries) return it }
        closeProgram()
        if (entry == kept && staying != null) return staying
        if (identity() != lengthAndTime) {
            throw EngineException("${file.name} changed while it was used; start again.")
        }
        entries = listOf(entry)
        return engineCall("$name cannot load $entry") { open(entries) }.also { program = it }
    }

    override fun close() {
        closeProgram()
        staying?.close()
    }

    private fun closeProgram() {
        val closing = program
        program = null
        closing?.close()
    }

    private fun identity() = file.length() to file.lastModified()
}
