// Signatures are Apple's, from the pages named.
import Foundation

// https://developer.apple.com/documentation/uikit/uibackgroundtaskidentifier
public struct UIBackgroundTaskIdentifier: Hashable, Sendable, RawRepresentable {
    public let rawValue: Int
    public init(rawValue: Int) { self.rawValue = rawValue }
    // https://developer.apple.com/documentation/uikit/uibackgroundtaskidentifier/invalid
    public static let invalid = UIBackgroundTaskIdentifier(rawValue: 0)
}

// https://developer.apple.com/documentation/uikit/uiapplication
@MainActor
open class UIApplication: NSObject {
    // https://developer.apple.com/documentation/uikit/uiapplication/shared
    public class var shared: UIApplication { UIApplication() }

    // https://developer.apple.com/documentation/uikit/uiapplication/isidletimerdisabled
    open var isIdleTimerDisabled = false

    // https://developer.apple.com/documentation/uikit/uiapplication/beginbackgroundtask(withname:expirationhandler:)
    // The page shows no @Sendable; with it, code is also right where Apple's interface has it.
    nonisolated open func beginBackgroundTask(
        withName taskName: String?, expirationHandler handler: (@Sendable () -> Void)? = nil
    ) -> UIBackgroundTaskIdentifier { UIBackgroundTaskIdentifier(rawValue: 1) }

    // https://developer.apple.com/documentation/uikit/uiapplication/endbackgroundtask(_:)
    nonisolated open func endBackgroundTask(_ identifier: UIBackgroundTaskIdentifier) {}
}

// https://developer.apple.com/documentation/uikit/uidevice
@MainActor
open class UIDevice: NSObject {
    // https://developer.apple.com/documentation/uikit/uidevice/current
    public class var current: UIDevice { UIDevice() }
    // https://developer.apple.com/documentation/uikit/uidevice/systemname
    open var systemName: String { "Linux" }
    // https://developer.apple.com/documentation/uikit/uidevice/isbatterymonitoringenabled
    open var isBatteryMonitoringEnabled = false
    // https://developer.apple.com/documentation/uikit/uidevice/batterylevel
    open var batteryLevel: Float { -1 }
    // https://developer.apple.com/documentation/uikit/uidevice/batterystate-swift.property
    open var batteryState: BatteryState { .unknown }

    // https://developer.apple.com/documentation/uikit/uidevice/batterystate-swift.enum
    public enum BatteryState: Int, Sendable {
        case unknown = 0
        case unplugged = 1
        case charging = 2
        case full = 3
    }
}

// https://developer.apple.com/documentation/uikit/uiviewcontroller
@MainActor
open class UIViewController: NSObject {
    // https://developer.apple.com/documentation/uikit/uiviewcontroller/viewdidappear(_:)
    open func viewDidAppear(_ animated: Bool) {}

    // https://developer.apple.com/documentation/uikit/uiviewcontroller/present(_:animated:completion:)
    open func present(_ viewControllerToPresent: UIViewController, animated flag: Bool, completion: (() -> Void)? = nil)
    {}

    // https://developer.apple.com/documentation/uikit/uiviewcontroller/extensioncontext
    open var extensionContext: NSExtensionContext? { nil }
}

// https://developer.apple.com/documentation/uikit/uialertcontroller
open class UIAlertController: UIViewController {
    // https://developer.apple.com/documentation/uikit/uialertcontroller/init(title:message:preferredstyle:)
    public convenience init(title: String?, message: String?, preferredStyle: Style) { self.init() }

    // https://developer.apple.com/documentation/uikit/uialertcontroller/addaction(_:)
    open func addAction(_ action: UIAlertAction) {}

    // https://developer.apple.com/documentation/uikit/uialertcontroller/style
    public enum Style: Int, Sendable {
        case actionSheet = 0
        case alert = 1
    }
}

// https://developer.apple.com/documentation/uikit/uialertaction
@MainActor
open class UIAlertAction: NSObject {
    // https://developer.apple.com/documentation/uikit/uialertaction/init(title:style:handler:)
    public convenience init(title: String?, style: Style, handler: ((UIAlertAction) -> Void)? = nil) { self.init() }

    // https://developer.apple.com/documentation/uikit/uialertaction/style-swift.enum
    public enum Style: Int, Sendable {
        case `default` = 0
        case cancel = 1
        case destructive = 2
    }
}

// https://developer.apple.com/documentation/uikit/uiactivity
@MainActor
open class UIActivity: NSObject {}

// https://developer.apple.com/documentation/uikit/uiactivityviewcontroller
open class UIActivityViewController: UIViewController {
    // https://developer.apple.com/documentation/uikit/uiactivityviewcontroller/init(activityitems:applicationactivities:)
    public init(activityItems: [Any], applicationActivities: [UIActivity]?) {}
}
