extension PPPoEConnectionSnapshot {
    /// What stands above any number of connections.
    public static let heading = "PPPoE Access Concentrator Connection Status\n" + TextLayout.rule(68)

    /// The view of `show pppoe-ac connections`.
    public func text() -> String {
        TextLayout.line("Route Name", routeName)
            + TextLayout.line("Route ID", routeID)
            + "Source Information\n"
            + TextLayout.line("Interface", interfaceName, indent: 2)
            + TextLayout.line("Session ID", pppoeSessionID, indent: 2)
            + TextLayout.line("Service Name", serviceName, indent: 2)
            + TextLayout.line("State", state.rawValue, indent: 2)
            + TextLayout.line("Peer MAC", clientMAC, indent: 2)
            + "Destination Information\n"
            + TextLayout.line("Type", "L2TP", indent: 2)
            + TextLayout.line("Tunnel ID", tunnelID, indent: 2)
            + TextLayout.line("Session ID", sessionID, indent: 2)
    }
}
