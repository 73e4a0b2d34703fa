package org.anyir.demo.ui

import android.app.Activity
import android.content.ActivityNotFoundException
import android.content.Intent
import android.net.Uri
import android.os.Bundle
import org.anyir.demo.R
import org.anyir.demo.photo.sampleUri
import org.anyir.demo.restore.Export
import org.anyir.demo.restore.RestoreJobs

/** Shows [MainModel]'s state and turns taps and intents into its calls. */
class MainActivity :
    Activity(),
    PanelActions {
    private lateinit var model: MainModel
    private lateinit var screen: MainScreen
    private lateinit var permissions: Permissions

    private lateinit var question: UnsavedQuestion

    /** What another app sent, until the screen is there to say what became of it. */
    private var sent: Sent? = null

    /** @property photo null where something else was sent */
    private class Sent(val photo: Uri?)

    override fun onCreate(saved: Bundle?) {
        super.onCreate(saved)
        model = lastNonConfigurationInstance as? MainModel
            ?: MainModel(RestoreJobs.of(this), CatalogueSource.of(this))
        permissions = Permissions(this)
        question = UnsavedQuestion(this, saved) { photo ->
            if (photo == null) model.close() else model.choose(photo, discard = true)
        }
        setContentView(R.layout.main)
        screen = MainScreen(window.decorView, this, ::close)
        screen.photo.onUnreadable = { model.say(getString(R.string.cannot_show)) }
        drawEdgeToEdge(window.decorView.part(R.id.root))
        // From the recent apps an intent comes again that was taken before.
        val again = intent.flags and Intent.FLAG_ACTIVITY_LAUNCHED_FROM_HISTORY != 0
        sent = if (saved == null && !again) sentBy(intent) else saved?.let(::sentBefore)
    }

    override fun onStart() {
        super.onStart()
        model.watch(screen::show)
        question.show()
    }

    override fun onResume() {
        super.onResume()
        val now = sent ?: return
        sent = null
        if (now.photo == null) model.say(getString(R.string.nothing_shared)) else open(now.photo)
    }

    override fun onStop() {
        model.leave()
        super.onStop()
    }

    override fun onDestroy() {
        question.hide()
        super.onDestroy()
    }

    override fun onSaveInstanceState(state: Bundle) {
        super.onSaveInstanceState(state)
        question.keepIn(state)
        state.putBoolean(SENT, sent != null)
        state.putParcelable(SENT_PHOTO, sent?.photo)
    }

    override fun onRetainNonConfigurationInstance(): Any = model

    override fun onNewIntent(intent: Intent) {
        super.onNewIntent(intent)
        setIntent(intent)
        sent = sentBy(intent)
    }

    private fun sentBy(intent: Intent) = if (intent.action == Intent.ACTION_SEND) Sent(sharedPhoto(intent)) else null

    @Suppress("DEPRECATION") // the typed form is younger than minSdk
    private fun sentBefore(saved: Bundle) =
        if (saved.getBoolean(SENT)) Sent(saved.getParcelable(SENT_PHOTO)) else null

    private fun open(photo: Uri) = if (model.state.unsaved) question.ask(photo) else model.choose(photo, discard = true)

    private fun close() = if (model.state.unsaved) question.ask(null) else model.close()

    override fun choosePhoto() = chooseBy(photoChoosers())

    override fun browseFiles() = chooseBy(listOf(documents()))

    /** By the first way that this phone has. */
    private fun chooseBy(ways: List<Intent>) {
        for (intent in ways) {
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
        const val SENT = "sent"
        const val SENT_PHOTO = "sent photo"
    }
}
