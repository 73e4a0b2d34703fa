import AnyIRState
import Foundation
import UIKit
import UniformTypeIdentifiers

/// The share extension: copies the photo that another app shares to where AnyIR finds it, and says so. An extension
/// cannot open its app, and has too little memory to restore a photo itself.
final class ShareController: UIViewController {
    override func viewDidAppear(_ animated: Bool) {
        super.viewDidAppear(animated)
        Task {
            let items = extensionContext?.inputItems.compactMap { $0 as? NSExtensionItem } ?? []
            let container = FileManager.default.containerURL(
                forSecurityApplicationGroupIdentifier: Handover.group)
            say(await Self.hand(items, to: container.map { Handover(container: $0) }).words)
        }
    }

    /// What became of a photo.
    enum Outcome {
        case left, noSpace, notTaken

        var words: String {
            switch self {
            case .left: ShareWords.opened
            case .noSpace: ShareWords.noSpace
            case .notTaken: ShareWords.notTaken
            }
        }
    }

    /// Hands the first photo over.
    ///
    /// - Parameter handover: nil where the app group is not among the build's entitlements
    static func hand(_ items: [NSExtensionItem], to handover: Handover?) async -> Outcome {
        let type = UTType.image.identifier
        let providers = items.flatMap { $0.attachments ?? [] }
        guard let handover, let photo = providers.first(where: { $0.hasItemConformingToTypeIdentifier(type) }) else {
            return .notTaken
        }
        return await withCheckedContinuation { continuation in
            _ = photo.loadFileRepresentation(forTypeIdentifier: type) { file, error in
                continuation.resume(returning: leave(file, error, in: handover))
            }
        }
    }

    /// The system deletes the file when this returns.
    nonisolated private static func leave(_ file: URL?, _ error: (any Error)?, in handover: Handover) -> Outcome {
        do {
            guard let file else { return error.map(isNoSpace) == true ? .noSpace : .notTaken }
            try handover.leave(file)
            return .left
        } catch {
            return isNoSpace(error) ? .noSpace : .notTaken
        }
    }

    private func say(_ text: String) {
        let alert = UIAlertController(title: "AnyIR", message: text, preferredStyle: .alert)
        alert.addAction(
            UIAlertAction(title: ShareWords.done, style: .default) { [weak self] _ in
                self?.extensionContext?.completeRequest(returningItems: nil, completionHandler: nil)
            })
        present(alert, animated: true, completion: nil)
    }
}
