"""What devices would print, for tests: written for them, with the shapes that real devices have."""

STACK = """Smart Licensing Status
======================

Smart Licensing is ENABLED

Smart Licensing Using Policy:
  Status: ENABLED

Account Information:
  Smart Account: Aozora
  Virtual Account: Osaka

License Usage
=============

network-advantage (C9300-24 Network Advantage):
  Description: C9300-24 Network Advantage
  Count: 2
  Version: 1.0
  Status: IN USE
  Export status: NOT RESTRICTED
  Feature Name: network-advantage
  Feature Description: C9300-24 Network Advantage
  Enforcement type: NOT ENFORCED
  License type: Perpetual

security (SEC-PLUS):
  Description: Security
  Count: 1
  Version: 1.0
  Status: NOT IN USE
  License type: Subscription

Product Information
===================
UDI: PID:C9300-24T,SN:AOZ0000A001

HA UDI List:
    Active:PID:C9300-24T,SN:AOZ0000A001
    Standby:PID:C9300-24T,SN:AOZ0000A002

Agent Version
=============
Smart Agent for Licensing: 5.5.5_rel/1
"""

SUMMARY = """License Usage:
  License                 Entitlement Tag               Count Status
  -----------------------------------------------------------------------------
  network-advantage       (NET-ADV)                        99 IN USE
"""

NEXUS_VERSION = """Cisco Nexus Operating System (NX-OS) Software
Software
  BIOS: version 07.69
  NXOS: version 10.2(5)
Hardware
  cisco Nexus9000 C9336C-FX2 Chassis
  Processor Board ID AOZ0000N001
  Device name: osaka-leaf
  Reason: Reset Requested by CLI command reload
"""

NEXUS_USAGE = """Feature                      Ins  Lic   Status Expiry Date Comments
                                 Count
--------------------------------------------------------------------------------
STO-STD                       Yes   -   In use Never       -
SEC-PLUS                      No    -   Unused             Grace 10D 1H
--------------------------------------------------------------------------------
"""

LOG = f"""=~=~=~=~=~= log of 2026-11-24 =~=~=~=~=~=
osaka-core#terminal length 0
osaka-core#show license all
{STACK}
osaka-core#sh clock
*10:00:00.000 JST Tue Nov 24 2026
osaka-core#show lic summ
{SUMMARY}
osaka-core#exit
osaka-leaf# show version
{NEXUS_VERSION}
osaka-leaf# show license usage
{NEXUS_USAGE}
osaka-leaf#
"""
