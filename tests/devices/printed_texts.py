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

OTHERS = {
    "PAN-OS": """admin@fw-osaka> show system info

hostname: fw-osaka
ip-address: 192.0.2.1
family: 220
model: PA-220
serial: 012801000001
sw-version: 10.1.9
operational-mode: normal

admin@fw-osaka> request license info

Current GMT Date: November 24, 2026

License entry:
Feature: Threat Prevention
Description: Threat Prevention
Serial: 012801000001
Authcode: ABC
Issued: January 01, 2026
Expires: January 01, 2027
Expired?: no

License entry:
Feature: URL Filtering
Description: PAN-DB
Serial: 012801000001
Issued: January 01, 2020
Expires: January 01, 2021
Expired?: yes

admin@fw-osaka>
""",
    "IOS": """R1>sh ver
Cisco IOS Software, C2900 Software (C2900-UNIVERSALK9-M), Version 15.2(4)M3, RELEASE SOFTWARE (fc2)
ROM: System Bootstrap, Version 15.0
R1 uptime is 1 week
System image file is "flash0:c2900.bin"
Cisco CISCO2911/K9 (revision 1.0) with 483328K/40960K bytes of memory.
Processor board ID AOZ0000R001
Configuration register is 0x2102

R1>sh license
Index 1 Feature: ipbasek9
        Period left: Life time
        License Type: Permanent
        License State: Active, In Use
        License Count: Non-Counted
        License Priority: Medium
Index 2 Feature: SSL_VPN
        Period left: Not Activated
        License Type: Permanent
        License State: Active, In Use
        License Count: 25/0  (In-use/Violation)
        License Priority: Medium

R1>show license udi
SlotID   PID                    SN                      UDI
--------------------------------------------------------------------------------
*0        CISCO2911/K9          AOZ0000R001             CISCO2911/K9:AOZ0000R001
R1>
""",
    "NX-OS 10": """leaf# show license usage
License Authorization:
  Status: Not Applicable

(LAN_ENTERPRISE_SERVICES_PKG):
  Description: LAN license for Nexus 9300-XF
  Count: 1
  Version: 1.0
  Status: IN USE
  Enforcement Type: NOT ENFORCED
  License Type: Generic

leaf# show inventory
NAME: "Chassis",  DESCR: "Nexus9000 C9336C-FX2 Chassis"
PID: N9K-C9336C-FX2      ,  VID: V02 ,  SN: AOZ0000L001
NAME: "Slot 1",  DESCR: "36x40/100G"
PID: N9K-C9336C-FX2      ,  VID: V02 ,  SN: AOZ0000L001
NAME: "Power Supply 1",  DESCR: "PSU"
PID: NXA-PAC             ,  VID: V01 ,  SN: PSU1
""",
    "IOS-XE 16": """Smart Licensing is ENABLED

Registration:
  Status: REGISTERED
  Smart Account: X
  Virtual Account: Y
  Export-Controlled Functionality: ALLOWED

License Authorization:
  Status: AUTHORIZED
  Last Communication Attempt: SUCCEEDED

License Usage:
  License                 Entitlement tag               Count Status
  -----------------------------------------------------------------------------
  C9300 DNA Advantage     (C9300-48 DNA Advantage)        2 AUTHORIZED
  network-advantage       (C9300-48 Network Advan...)     2 OUT OF COMPLIANCE
""",
    "right-to-use": """sw1#show license right-to-use usage
 Slot#  License Name      Type         usage-duration(y:m:d)  In-Use  EULA
--------------------------------------------------------------------------
 1      ipservices        permanent    0 :2  :24              yes     yes
 1      ipbase            permanent    0 :0  :0               no      no
 2      ipservices        permanent    0 :2  :24              yes     yes
""",
    "show tech-support": """------------------ show version ------------------
Cisco IOS XE Software, Version 17.09.04a
Cisco IOS Software [Cupertino], Catalyst L3 Switch Software (CAT9K_IOSXE), Version 17.9.4a, RELEASE SOFTWARE (fc3)
acc uptime is 1 day
cisco C9200L-24T-4G (ARM64) processor with 1K bytes of memory.
Processor board ID AOZ0000T001
------------------ show license udi ------------------
UDI: PID:C9200L-24T-4G,SN:AOZ0000T001
------------------ show license summary ------------------
License Usage:
  License                 Entitlement Tag               Count Status
  -----------------------------------------------------------------------------
  network-essentials      (C9200L-NW-E-24)                1 IN USE
""",
    "VRP": """<osaka-ar>display sn license
 ESN of device: 2150010479
<osaka-ar>display license verbose
 Active license    : flash:/L.dat
 License state     : Normal
 Product version   : V300R023C00
 License file ESN  : 2150010479

 Feature name      : SEC
 Sale name         : 88X
 Item name         : L1
 Item type         : Function
 Control value     : 1
 Used value        : 1
 Item state        : Normal
 Description       : Security License
<osaka-ar>quit
""",
}
