package org.anyir.demo.photo

import android.graphics.Bitmap
import android.graphics.ColorSpace
import android.os.Build
import java.io.ByteArrayOutputStream

/**
 * The network restores the numbers in the file, in whatever colour space they are, as the Python package does; the
 * result gets the same space. Android converts to sRGB whenever pixels are read from a bitmap or written to it, so the
 * space is taken off before and put on again after.
 */
internal object Colours {
    val SRGB: ColorSpace = ColorSpace.get(ColorSpace.Named.SRGB)

    /** Whether this Android can change a bitmap's colour space; before, photos are converted to sRGB when decoded. */
    val canBeKept: Boolean get() = Build.VERSION.SDK_INT >= Build.VERSION_CODES.Q

    /** The colour space of [bitmap], which is called sRGB afterwards, its pixels unchanged. */
    fun takeOff(bitmap: Bitmap): ColorSpace {
        val space = bitmap.colorSpace ?: SRGB
        putOn(bitmap, SRGB)
        return space
    }

    /** Calls the colour space of [bitmap] [space]; its pixels stay unchanged. */
    fun putOn(bitmap: Bitmap, space: ColorSpace) {
        if (canBeKept && bitmap.colorSpace != space) bitmap.setColorSpace(space)
    }

    /** Content of a PNG's iCCP chunk for [space], as Android itself writes it; null for sRGB. */
    fun profile(space: ColorSpace): ByteArray? {
        if (space == SRGB) return null
        val pixel = Bitmap.createBitmap(1, 1, Bitmap.Config.ARGB_8888, true)
        putOn(pixel, space)
        val png = ByteArrayOutputStream()
        pixel.compress(Bitmap.CompressFormat.PNG, 100, png)
        return pngChunk(png.toByteArray(), "iCCP")
    }
}
