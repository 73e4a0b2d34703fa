import AnyIRCore
import AnyIRState
import SwiftUI

/// One sentence about what is wrong.
struct Problem: View {
    let text: String

    var body: some View {
        Label(text, systemImage: "exclamationmark.triangle")
            .foregroundStyle(.red)
            .accessibilityAddTraits(.updatesFrequently)
    }
}

/// The two ways to a photo.
struct ChoosingButtons: View {
    let pick: @MainActor () -> Void
    let browse: @MainActor () -> Void
    var isAnother = false

    var body: some View {
        ViewThatFits {
            HStack { buttons }
            VStack(alignment: .leading) { buttons }
        }
        .buttonStyle(.bordered)
    }

    @ViewBuilder private var buttons: some View {
        Button(isAnother ? Words.chooseAnother : Words.choosePhoto, systemImage: "photo", action: pick)
        Button(Words.browseFiles, systemImage: "folder", action: browse)
    }
}

/// What is wrong with the models, if anything.
struct ModelProblem: View {
    let models: Models

    var body: some View {
        switch models {
        case .none: Problem(text: Words.noModel)
        case .noneRuns: Problem(text: Words.noEngine)
        case .looking, .some: EmptyView()
        }
    }
}

/// The first screen: the sample photo is one tap from restored.
struct StartPanel: View {
    let model: AppModel
    let choosing: ChoosingButtons

    var body: some View {
        Text(Words.startTitle).font(.title2).bold().accessibilityAddTraits(.isHeader)
        Text(Words.startText)
        ModelProblem(models: model.state.models)
        Button(Words.restoreSample) { model.choose(.sample, thenRestore: true) }
            .buttonStyle(.borderedProminent)
            .disabled(!model.state.canRestore)
        choosing
    }
}

/// A photo is being copied and looked at.
struct OpeningPanel: View {
    let model: AppModel

    var body: some View {
        ProgressView(Words.opening)
        Button(Words.cancel, role: .cancel) { model.send(.cancel) }.buttonStyle(.bordered)
    }
}

/// A photo is chosen: what it is, what will be lost, with what it will be restored.
struct ReadyPanel: View {
    let model: AppModel
    let photo: PhotoInfo
    let interrupted: Bool
    let choosing: ChoosingButtons
    let showModels: @MainActor () -> Void

    var body: some View {
        Text(Words.facts(photo)).font(.headline)
        if interrupted { Text(Words.interrupted) }
        if photo.onlyHalfSize { Text(Words.tooLarge(photo)) }
        ForEach(photo.notes, id: \.self) { Text($0).font(.footnote).foregroundStyle(.secondary) }
        ModelProblem(models: model.state.models)
        Button(choice, action: showModels)
        Button(photo.onlyHalfSize ? Words.restoreHalf : Words.restore) { model.send(.restore) }
            .buttonStyle(.borderedProminent)
            .disabled(!model.state.canRestore)
        ChoosingButtons(pick: choosing.pick, browse: choosing.browse, isAnother: true)
    }

    private var choice: String {
        guard let catalogue = model.state.catalogue else { return Words.lookingForModels }
        return catalogue.text(of: catalogue.pair, Words.choice) ?? Words.showModels
    }
}

/// How far the restoration is.
struct RunningPanel: View {
    let model: AppModel
    let progress: RestoreProgress?
    let cancelling: Bool

    var body: some View {
        Text(Words.restoring).font(.headline)
        if let progress {
            ProgressView(value: Double(progress.done), total: Double(max(1, progress.total)))
        } else {
            ProgressView()
        }
        Text(cancelling ? Words.cancelling : Words.steps(progress))
        if !cancelling, let left = progress?.timeLeft { Text(Words.left(left)).foregroundStyle(.secondary) }
        if let need = progress?.need { Text(Words.need(need)) }
        Button(Words.cancel, role: .cancel) { model.send(.cancel) }
            .buttonStyle(.bordered)
            .disabled(cancelling)
    }
}

/// The result: how strong, what made it, and where it goes.
struct DonePanel: View {
    @Bindable var model: AppModel
    let result: RestoredPhoto
    let choosing: ChoosingButtons

    var body: some View {
        LabeledContent(Words.strength, value: Words.strengthValue(percent))
        Slider(value: $model.strength, in: 0...1, step: 0.01) { Text(Words.strength) }
            .accessibilityValue(Words.strengthState(percent))
        Text(Words.strengthHint).font(.footnote).foregroundStyle(.secondary)
        Text(Words.need(result.need))
        Text(Words.ran(result)).font(.footnote)
        if result.halfSize { Text(Words.halfResult(result.width, result.height)).font(.footnote) }
        savingState
        HStack {
            Button(result.saved ? Words.saveAgain : Words.save) { model.send(.save(strength: model.strength)) }
                .buttonStyle(.borderedProminent)
            Button(Words.share) { model.send(.share(strength: model.strength)) }
                .buttonStyle(.bordered)
                .disabled(model.state.isSharing)
        }
        .disabled(model.state.saving == .now)
        if let again { Button(again) { model.send(.restore) }.buttonStyle(.bordered) }
        if again != nil, model.state.isUnsaved {
            Text(Words.restoreAgainHint).font(.footnote).foregroundStyle(.secondary)
        }
        ChoosingButtons(pick: choosing.pick, browse: choosing.browse, isAnother: true)
    }

    private var percent: Int { Words.percent(model.strength) }

    /// Another model or engine was chosen since: the photo can be restored with it.
    private var again: String? { model.state.catalogue?.text(of: model.state.again, Words.restoreAgain) }

    @ViewBuilder private var savingState: some View {
        switch model.state.saving {
        case .now: Text(Words.saving)
        case .done(let notes): ForEach([Words.saved] + notes, id: \.self) { Text($0) }
        case .failed(let notice): Problem(text: notice.sentence)
        case .not: if result.saved { Text(Words.saved) }
        }
    }
}

/// Something went wrong: one sentence, and what can be done.
struct FailedPanel: View {
    let model: AppModel
    let photo: PhotoInfo?
    let notice: Notice
    let choosing: ChoosingButtons
    let showModels: @MainActor () -> Void

    var body: some View {
        Problem(text: notice.sentence)
        if photo != nil {
            if model.state.canRestore {
                Button(Words.tryAgain) { model.send(.restore) }.buttonStyle(.borderedProminent)
            }
            Button(Words.showModels, action: showModels)
        }
        ChoosingButtons(pick: choosing.pick, browse: choosing.browse, isAnother: photo != nil)
    }
}

extension Catalogue {
    /// A sentence about a pair, of its model and engine as the screens name them; nil where there is none.
    func text(of pair: Pair?, _ sentence: (String, String) -> String) -> String? {
        guard let pair, let model = models.first(where: { $0.name == pair.model }),
            let engine = engines.first(where: { $0.id == pair.engine })
        else { return nil }
        return sentence(Words.model(model), engine.label)
    }
}
