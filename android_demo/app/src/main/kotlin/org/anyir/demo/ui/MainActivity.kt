package org.anyir.demo.ui

import android.app.Activity
import android.app.AlertDialog
import android.content.ActivityNotFoundException
import android.content.Intent
import android.net.Uri
import android.os.Bundle
import org.anyir.demo.R
import org.anyir.demo.restore.Export
import org.anyir.demo.restore.RestoreJobs

/** Shows [MainModel]'s state and turns taps and intents into its calls. */
class MainActivity :
    Activity(),
    PanelActions {
    private lateinit var model: MainModel
    private lateinit var screen: MainScreen
    private lateinit var permissions: Permissions

    /** What another app sent, until the screen is there to say what became of it. */
    private var sent: Intent? = null

    override fun onCreate(saved: Bundle?) {
        super.onCreate(saved)
        model = lastNonConfigurationInstance as? MainModel
            ?: MainModel(RestoreJobs.of(this), CatalogueSource.of(this))
        permissions = Permissions(this)
        setContentView(R.layout.main)
        screen = MainScreen(window.decorView, this, ::close)
        screen.photo.onUnreadable = { model.say(getString(R.string.cannot_show)) }
        drawEdgeToEdge(window.decorView.part(R.id.root))
        // From the recent apps an intent comes again that was taken before.
        val again = intent.flags and Intent.FLAG_ACTIVITY_LAUNCHED_FROM_HISTORY != 0
        if (saved == null && !again) sent = intent
    }

    override fun onStart() {
        super.onStart()
        model.watch(screen::show)
    }

    override fun onResume() {
        super.onResume()
        sent?.let { take(it) }
        sent = null
    }

    override fun onStop() {
        model.leave()
        super.onStop()
    }

    override fun onRetainNonConfigurationInstance(): Any = model

    override fun onNewIntent(intent: Intent) {
        super.onNewIntent(intent)
        setIntent(intent)
        sent = intent
    }

    /** A photo that another app shared. */
    private fun take(intent: Intent) {
        if (intent.action != Intent.ACTION_SEND) return
        val photo = sharedPhoto(intent)
        if (photo == null) model.say(getString(R.string.nothing_shared)) else open(photo)
    }

    private fun open(photo: Uri) = unlessUnsaved { model.choose(photo, discard = true) }

    /** Does [action], which gives the result up; asks first where that was not saved. */
    private fun unlessUnsaved(action: () -> Unit) {
        if (!model.state.unsaved) return action()
        AlertDialog.Builder(this)
            .setTitle(R.string.close_title)
            .setMessage(R.string.close_text)
            .setPositiveButton(R.string.close_unsaved) { _, _ -> action() }
            .setNegativeButton(R.string.keep, null)
            .show()
    }

    private fun close() = unlessUnsaved { model.close() }

    override fun choosePhoto() {
        for (intent in photoChoosers()) {
            try {
                @Suppress("DEPRECATION") // its successor is in androidx
                return startActivityForResult(intent, CHOOSE)
            } catch (_: ActivityNotFoundException) {
                continue
            }
        }
        model.say(getString(R.string.no_picker))
    }

    @Deprecated("its successor is in androidx")
    override fun onActivityResult(request: Int, result: Int, data: Intent?) {
        if (request == CHOOSE && result == RESULT_OK) data?.data?.let(::open)
    }

    override fun restoreSample() {
        permissions.askToNotify()
        model.chooseAndRestore(sampleUri(this))
    }

    override fun restore() {
        permissions.askToNotify()
        model.restore()
    }

    override fun cancel() = model.cancel()

    override fun save() {
        if (permissions.maySave()) model.save(screen.photo.strength)
    }

    override fun onRequestPermissionsResult(request: Int, names: Array<String>, results: IntArray) {
        if (request != Permissions.SAVE) return
        if (permissions.granted(results)) save() else model.say(getString(R.string.may_not_save))
    }

    override fun share() = model.share(screen.photo.strength, ::send)

    private fun send(made: Export.Made) {
        try {
            startActivity(Intent.createChooser(shareIntent(made), getString(R.string.share_with)))
        } catch (_: ActivityNotFoundException) {
            model.say(getString(R.string.not_shared))
        }
    }

    override fun showModels() = startActivity(Intent(this, ModelsActivity::class.java))

    override fun strength(value: Float) {
        screen.photo.strength = value
    }

    private companion object {
        const val CHOOSE = 1
    }
}
