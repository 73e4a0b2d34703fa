package org.anyir.core

import com.google.gson.JsonArray
import com.google.gson.JsonObject
import com.google.gson.JsonParser
import java.io.File
import java.nio.FloatBuffer

/** The folder of the whole project, whose fixtures and schemas these tests hold the app to. */
internal val repository = File(checkNotNull(System.getProperty("anyir.repository")) { "run the tests by Maven" })

internal fun fixture(name: String): JsonObject =
    JsonParser.parseString(File(repository, "tests/fixtures/$name").readText()).asJsonObject

internal fun JsonObject.int(name: String): Int = get(name).asInt

/** Of a case's tiles, which are as large as its sheet unless it says so. */
internal fun JsonObject.tileSize(): TileSize =
    getAsJsonObject("restore_size")?.run { TileSize(int("height"), int("width")) } ?: TileSize(int("tile"))

internal fun JsonArray.ints(): IntArray = IntArray(size()) { get(it).asInt }

internal fun JsonArray.doubles(): DoubleArray = DoubleArray(size()) { get(it).asDouble }

/** A photo in memory that checks what it is asked for. */
internal class MemoryPhoto(
    override val width: Int,
    override val height: Int,
    val argb: IntArray,
    override val grey: Boolean = false,
) : PhotoSource {
    override fun read(region: Region, argb: IntArray) {
        require(region.x >= 0 && region.x + region.width <= width) { "$region leaves the photo" }
        require(region.y >= 0 && region.y + region.height <= height) { "$region leaves the photo" }
        for (y in 0 until region.height) {
            this.argb.copyInto(
                argb,
                y * region.width,
                (region.y + y) * width + region.x,
                (region.y + y) * width + region.x + region.width,
            )
        }
    }

    override fun close() = Unit
}

/** Collects rows, and checks that they come from top to bottom, once each. */
internal class MemorySink(private val width: Int, height: Int) : PhotoSink {
    val argb = IntArray(width * height)
    var rows = 0
        private set

    override fun writeRows(y: Int, rows: Int, argb: IntArray) {
        check(y == this.rows && rows >= 1) { "rows $y.. after ${this.rows}" }
        argb.copyInto(this.argb, y * width, 0, rows * width)
        this.rows += rows
    }
}

/**
 * A model made of a function of the value and its place: (value, x, y, colour) -> value. It finds the first value of
 * the sheet when it looks, checks that tiles are restored with it, and notes what it did.
 */
internal class PlaceModel(
    override val tile: Int,
    override val tileSize: TileSize = TileSize(tile),
    private val answer: (Float, Int, Int, Int) -> Float,
) : TileRunner {
    val calls = ArrayList<String>()
    private var found = Float.NaN

    override fun newStatistics() = Statistics(this, listOf(1, 2))

    override fun look(sheet: FloatBuffer, statistics: Statistics): RunTiming {
        check(sheet.isDirect && sheet.remaining() == 3 * tile * tile)
        calls += "look"
        found = sheet.get(0)
        statistics.values.forEach { buffer -> for (i in 0 until buffer.capacity()) buffer.put(i, found) }
        return RunTiming(0, 0, 0)
    }

    override fun restore(input: FloatBuffer, statistics: Statistics, output: FloatBuffer): RunTiming {
        check(input.isDirect && output.isDirect && input.remaining() == 3 * tileSize.pixels)
        check(statistics.owner === this && statistics.values[1].get(1) == found) { "not what the look found" }
        calls += "restore"
        val (height, width) = tileSize
        for (i in 0 until 3 * tileSize.pixels) {
            output.put(i, answer(input.get(i), i % width, i / width % height, i / tileSize.pixels))
        }
        return RunTiming(0, 0, 0)
    }
}
