"""Every operation of the API with a valid call, made of the victim's real handles. One without an entry fails the build.

`who` may do it (an attribute of World, or "client": an API client of the company). `body` JSON, `file` an upload,
`query` parameters. Handles are written `<name>` and come from Victim.ids, link secrets `<secret:name>`.
"""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass, field
from typing import Any

from daicho.core.clock import now

LATER = (now() + dt.timedelta(days=90)).isoformat()


@dataclass(frozen=True)
class Call:
    """A valid call. `path`: parameter → handle; what the table below does not say is found by `PATHS`."""

    who: str = "admin"
    body: Any = None
    file: bytes | None = None
    file_name: str = "rows.csv"
    query: str = ""
    path: dict[str, str] = field(default_factory=dict)
    status: tuple[int, ...] = (200, 201, 204)
    # Names nothing of one account (one's own things, the catalog), or the secret of a mailed link is what opens it:
    # a stranger gets an answer of his own, not a 404.
    is_own: bool = False
    # Anybody may call it, also without logging in.
    is_public: bool = False


REASON = {"reason": "Because the desk asked for it."}
MOVES = {"moves": [{"source": "<va>", "target": "<va_osaka>", "sku": "NET-ADV", "quantity": 1}], "memo": "m"}
LINES = {"lines": [{"sku": "NET-ADV", "quantity": 1}]}
ORDER = {
    "number": "PO-77",
    "identifier": "<identifier>",
    "lines": [{"sku": "NET-ADV", "quantity": 3, "kind": "perpetual"}],
}
PRINTED = "edge-3#show license udi\nUDI: PID:SW,SN:3\nedge-3#show license summary\n" + (
    "License Usage:\n  net-adv  (NET-ADV)  1 IN USE\n"
)
ORDER_FILE = b"order_number,domain,sku,quantity,kind\nPO-78,aozora.example.co.jp,NET-ADV,3,perpetual\n"
CUSTOMERS = "domain,name,country,postal_code,region,city,street\nkita.example.jp,Kita,JP,100-0001,東京都,千代田区,千代田1-1\n".encode()
ADDRESS = {
    "country": "JP", "postal_code": "100-0001", "region": "東京都", "city": "千代田区", "street": "千代田1-1",
    "phone": "03-1111-2222",
}  # fmt: skip
GUIDE = {"title": "How to", "url": "https://vendor.example/how", "language": "en", "kind": "document"}
OPERATOR, PARTNER = "operator", "reseller"

# Path parameter → handle, by the segment before it.
PATHS = {
    "accounts": "identifier", "virtual-accounts": "va", "users": "user", "grants": "grant", "invitations": "invitation",
    "hand-overs": "hand_over", "access-requests": "access_request", "api-clients": "api_client", "devices": "device",
    "licenses": "tag", "transfers": "entry", "assignments": "entry", "transfer-requests": "transfer_request",
    "order-lines": "line", "alerts": "alert", "events": "event", "agreements": "agreement", "openings": "opening",
    "extra-addresses": "extra_address", "partner": "company", "partners": "company", "members": "member",
    "guides": "guide", "contests": "contest", "mails": "mail", "products": "product", "ladders": "ladder",
    "lots": "lot", "files": "lot_file", "jobs": "job", "replacements": "replacement", "registration-tokens": "token",
    "reservations": "reservation",
}  # fmt: skip

CALLS: dict[str, Call] = {
    # me
    "getProfile": Call(is_own=True),
    "setProfile": Call(is_own=True, body={"name": "A", "language": "en", "time_zone": "Asia/Tokyo"}),
    "findOwnAccounts": Call(is_own=True),
    "listOwnRequests": Call(is_own=True),
    "requestAccess": Call(
        who="newcomer", body={"account": "<identifier>", "role": "account_viewer", "reason": "New here."}
    ),
    "withdrawAccessRequest": Call(who="asker"),
    "getTour": Call(is_own=True),
    "changeTour": Call(is_own=True, body={"step": "people", "done": True}),
    "listMyAccounts": Call(is_own=True),
    "findCompanyAccounts": Call(is_own=True),
    # access
    "listAccessRequests": Call(),
    "approveAccessRequest": Call(body={}),
    "declineAccessRequest": Call(body=REASON),
    "listApiClients": Call(),
    "createApiClient": Call(body={"name": "sync", "scopes": ["licenses.view"], "grants": [{"role": "account_viewer"}]}),
    "getApiClient": Call(),
    "changeApiClient": Call(body={"name": "sync 2", "scopes": ["licenses.view"]}),
    "revokeApiClient": Call(),
    "rotateApiClientSecret": Call(),
    "giveApiClientGrant": Call(body={"role": "va_viewer", "virtual_account": "<va>"}),
    "revokeApiClientGrant": Call(path={"grant": "client_grant"}),
    # people
    "listUsers": Call(),
    "getUser": Call(),
    "giveGrant": Call(body={"user": "<user>", "role": "va_user", "virtual_account": "<va>"}),
    "changeGrant": Call(body={"role": "account_user"}),
    "revokeGrant": Call(),
    "listPartnerUsers": Call(),
    "listInvitations": Call(),
    "invite": Call(body={"email": "second@aozora.example.co.jp", "role": "account_viewer"}),
    "inviteMany": Call(file=b"email,role\nthird@aozora.example.co.jp,account_viewer\n"),
    "acceptInvitation": Call(who="newcomer_invited", is_own=True, body={"secret": "<secret:invitation>"}),
    "resendInvitation": Call(),
    "withdrawInvitation": Call(),
    "listHandOvers": Call(),
    "planHandOver": Call(
        body={"from_user": "<user>", "to_email": "user@aozora.example.co.jp", "due_at": "2030-04-01T00:00:00Z"}
    ),
    "cancelHandOver": Call(),
    # account, agreement
    "getAccount": Call(),
    "editAccount": Call(body=ADDRESS),
    "changeAccountSettings": Call(body={"transfers_need_approval": True}),
    "listAgreements": Call(),
    "getAgreement": Call(),
    "acceptAgreement": Call(body={"language": "en"}, path={"uid": "agreement_next"}),
    # virtual accounts
    "listVirtualAccounts": Call(),
    "createVirtualAccount": Call(body={"name": "Nagoya"}),
    "getVirtualAccount": Call(),
    "changeVirtualAccount": Call(body={"description": "Third floor"}),
    "deleteVirtualAccount": Call(path={"uid": "va_empty"}, query="typed_name=AOZORA+Empty"),
    "emptyVirtualAccount": Call(path={"uid": "va_empty"}, body={"target": "<va>"}),
    "importVirtualAccounts": Call(file=b"name,parent\nKobe,\n"),
    # licenses, transfers, devices
    "listLicenses": Call(),
    "getLicenseTotals": Call(),
    "listBranchTotals": Call(),
    "getLicenseSummary": Call(),
    "getLicense": Call(),
    "getStatement": Call(query="since=2026-11-01&until=2026-11-30&virtual_account=<va>"),
    "listStatementLines": Call(query="since=2026-11-01&until=2026-11-30"),
    "getUseOverTime": Call(),
    "listLots": Call(),
    "getLot": Call(),
    "getLotDetails": Call(),
    "changeLotDetails": Call(body={"note": "binder 4", "amount": 1200, "currency": "JPY"}),
    "listLotFiles": Call(),
    "attachLotFile": Call(file=b"%PDF-1.7 more", file_name="more.pdf"),
    "getLotFile": Call(),
    "removeLotFile": Call(),
    "importLotDetails": Call(file=b"lot,note\n<lot>,binder 5\n"),
    "listEnds": Call(),
    "createTransfer": Call(body=MOVES),
    "listTransfers": Call(),
    "previewTransfer": Call(body=MOVES),
    "importTransfer": Call(file=b"source,target,sku,quantity\nAOZORA Tokyo,Osaka,NET-ADV,1\n"),
    "transferMatching": Call(body={"filter": {"sku": "NET-ADV"}, "target": "<va_osaka>"}, status=(202,)),
    "getTransfer": Call(),
    "undoTransfer": Call(body={}),
    "listTransferRequests": Call(),
    "getTransferRequest": Call(),
    "approveTransferRequest": Call(body={}),
    "declineTransferRequest": Call(body=REASON),
    "withdrawTransferRequest": Call(who="user", body={}),
    "listDevices": Call(),
    "createDevice": Call(body={"virtual_account": "<va>", "name": "edge-1"}),
    "importDevices": Call(file=b"name,product_id,serial\nedge-2,SW,1\n", query="virtual_account=<va>"),
    "previewDeviceImport": Call(body={"text": PRINTED, "virtual_account": "<va>"}),
    "importPrintedLicenses": Call(body={"text": PRINTED, "virtual_account": "<va>"}),
    "undoDeviceImport": Call(body={}, path={"uid": "printed_import"}),
    "getDevice": Call(),
    "changeDevice": Call(body={"note": "rack 4"}),
    "moveDevice": Call(path={"uid": "device_spare"}, body={"virtual_account": "<va_osaka>"}),
    "removeDevice": Call(body={}),
    "getDeviceInstance": Call(path={"uid": "device_instance"}),
    "listRegistrationTokens": Call(),
    "issueRegistrationTokens": Call(body={"virtual_accounts": ["<va>"], "description": "new switches"}),
    "getRegistrationToken": Call(),
    "showRegistrationToken": Call(),
    "revokeRegistrationToken": Call(body={}),
    "listReservations": Call(),
    "readRequestCode": Call(body={"code": "<secret:request_code>"}),
    "reserveForDevice": Call(
        body={
            "code": "<secret:request_code>",
            "virtual_account": "<va>",
            "licenses": [{"sku": "NET-ADV", "quantity": 1}],
        }
    ),
    "getReservation": Call(),
    "showReservationAuthorization": Call(),
    "undoReservation": Call(body={}),
    "confirmReservation": Call(path={"uid": "reservation_waiting"}, body={"code": "<secret:confirmation_code>"}),
    "returnReservation": Call(path={"uid": "reservation_waiting"}, body={"code": "<secret:return_code>"}),
    "withdrawReservation": Call(path={"uid": "reservation_waiting"}, body={"statement": "It was never switched on."}),
    "changeReservation": Call(path={"uid": "reservation_installed"}, body={"lots": [{"lot": "<lot>", "quantity": 2}]}),
    "bindReservation": Call(path={"uid": "reservation_unbound"}, body={"code": "<secret:request_code>"}),
    "replaceDevice": Call(path={"uid": "device_spare"}, body={"serial": "NEW-1", "product_id": "P"}),
    "listReplacements": Call(),
    "getReplacement": Call(),
    "assignLicenses": Call(body=LINES),
    "releaseLicenses": Call(body=LINES),
    "useSpareLicenses": Call(body={"sku": "NET-ADV", "quantity": 1, "source": "<va_osaka>"}),
    "reuseLicenses": Call(body=LINES | {"target": "<device_spare>"}),
    # orders
    "listOrderLines": Call(),
    "getOrderLine": Call(),
    "getOrderCard": Call(),
    "assignOrderLines": Call(body={"parts": [{"line": "<unassigned_line>", "quantity": 5, "virtual_account": "<va>"}]}),
    "assignMatching": Call(body={"filter": {"text": "PO"}, "virtual_account": "<va>"}, status=(202,)),
    "undoAssignment": Call(path={"entry": "assignment"}, body={}),
    "recordPartnerOrder": Call(PARTNER, body=ORDER),
    "listPartnerOrderLines": Call(PARTNER),
    "getPartnerOrderLine": Call(PARTNER, path={"uid": "partner_line"}),
    "cancelPartnerOrderLine": Call(PARTNER, path={"uid": "partner_line"}, body={}),
    "searchPartnerDestinations": Call(PARTNER, query="identifier=<identifier>&text=DEF"),
    "listPartnerAllowances": Call(PARTNER),
    "previewPartnerOrderImport": Call(PARTNER, file=ORDER_FILE),
    "importPartnerOrders": Call(PARTNER, file=ORDER_FILE),
    # signals
    "listAlerts": Call(),
    "getAlert": Call(),
    "hideAlert": Call(body={}),
    "showAlert": Call(),
    "listEvents": Call(),
    "exportEvents": Call(),
    "getEvent": Call(),
    "getNotifications": Call(),
    "setNotifications": Call(body={"at_once": True, "daily_summary": False, "days": [30, 7]}),
    "listExtraAddresses": Call(),
    "addExtraAddress": Call(body={"email": "desk@aozora.example.co.jp"}),
    "removeExtraAddress": Call(),
    "confirmExtraAddress": Call(body={"token": "<secret:extra_address>"}, is_public=True),
    # openings
    "listMyOpenings": Call(is_own=True),
    "startOpening": Call(is_own=True, who="newcomer", body={}),
    "getMyOpening": Call(),
    "saveOpening": Call(body={"account_name": "Two K.K."}),
    "withdrawOpening": Call(),
    "saveOpeningStep": Call(path={"step": "1"}, body={"is_representative": True}),
    "continueOpening": Call(path={"uid": "opening_full"}),
    "takeOverOpening": Call(path={"uid": "opening_rival"}),
    "resendOpeningLink": Call(path={"uid": "opening_waiting"}),
    "getIdentifierStanding": Call(query="identifier=aozora.example.co.jp"),
    "answerOpeningReason": Call(body={"secret": "<secret:reason>", "answer": "Our parent company."}, is_public=True),
    "approveOpeningAsApprover": Call(who="approver_named", is_own=True, body={"secret": "<secret:approver>"}),
    "declineOpeningAsApprover": Call(who="approver_named", is_own=True, body={"secret": "<secret:approver>"} | REASON),
    "activateAccount": Call(body={"secret": "<secret:activation>"}, is_public=True),
    "contestAccount": Call(who="newcomer", is_own=True, body={"identifier": "<identifier>"} | REASON),
    "findPostalCode": Call(path={"code": "1000001"}, is_public=True),
    "listCountries": Call(is_public=True),
    "listGuides": Call(is_public=True),
    # operator
    "appointAdministrator": Call(OPERATOR, body={"email": "viewer@aozora.example.co.jp"} | REASON),
    "listOperatorApiClients": Call(OPERATOR),
    "createOperatorApiClient": Call(OPERATOR, body={"name": "batch", "scopes": ["operator.orders"]}),
    "revokeOperatorApiClient": Call(OPERATOR, path={"uid": "operator_client"}),
    "listPartnerCompanies": Call(OPERATOR),
    "createPartnerCompany": Call(OPERATOR, body={"name": "Second K.K."}),
    "changePartnerCompany": Call(OPERATOR, body={"name": "Reseller Two", "is_active": True}),
    "listPartnerMembers": Call(OPERATOR),
    "addPartnerMember": Call(OPERATOR, body={"email": "nobody@nowhere.example.jp"}),
    "removePartnerMember": Call(OPERATOR),
    "createPartnerApiClient": Call(OPERATOR, body={"name": "edi"}),
    "listAccounts": Call(OPERATOR),
    "getAccountForOperator": Call(OPERATOR),
    "suspendAccount": Call(OPERATOR, body=REASON),
    "resumeAccount": Call(OPERATOR, path={"identifier": "identifier_suspended"}, body=REASON),
    "closeAccount": Call(OPERATOR, body=REASON),
    "lookIntoAccount": Call(OPERATOR, body=REASON),
    "importCustomers": Call(OPERATOR, file=CUSTOMERS),
    "listAllGuides": Call(OPERATOR),
    "addGuide": Call(OPERATOR, body=GUIDE),
    "changeGuide": Call(OPERATOR, body=GUIDE),
    "removeGuide": Call(OPERATOR),
    "listPublishedAgreements": Call(OPERATOR),
    "publishAgreement": Call(
        OPERATOR,
        body={
            "title_ja": "合意書",
            "title_en": "Agreement",
            "text_ja": "本文",
            "text_en": "Text",
            "effective_at": LATER,
        },
    ),
    "getPublishedAgreement": Call(OPERATOR),
    "listCatalogLicenses": Call(is_own=True),
    "addCatalogLicense": Call(OPERATOR, body={"sku": "NEW-1", "name": "New"}),
    "getCatalogLicense": Call(is_own=True),
    "changeCatalogLicense": Call(OPERATOR, body={"description": "d"}),
    "listProducts": Call(is_own=True),
    "addProduct": Call(OPERATOR, body={"vendor": "Vendor", "name": "Router"}),
    "listLadders": Call(OPERATOR),
    "setLadder": Call(OPERATOR, body={"name": "Other", "skus": ["LAD-1", "LAD-2"]}),
    "importCatalog": Call(OPERATOR, file=b"sku,name\nNEW-2,New 2\n"),
    "listAllEvents": Call(OPERATOR),
    "exportAllEvents": Call(OPERATOR),
    "listTroubledMails": Call(OPERATOR),
    "retryFailedMails": Call(OPERATOR),
    "retryMail": Call(OPERATOR),
    "listOpenings": Call(OPERATOR),
    "getOpening": Call(OPERATOR, path={"uid": "held"}),
    "approveOpening": Call(OPERATOR, path={"uid": "held"}, body={}),
    "declineOpening": Call(OPERATOR, path={"uid": "held"}, body=REASON),
    "askOpeningReason": Call(OPERATOR, path={"uid": "held"}, body={"question": "Why?"}),
    "listContests": Call(OPERATOR),
    "getContest": Call(OPERATOR),
    "decideContest": Call(OPERATOR, body=REASON | {"upheld": False}),
    "getOperatorQueue": Call(OPERATOR),
    "recordOrder": Call(OPERATOR, body=ORDER),
    "listAllOrderLines": Call(OPERATOR),
    "listIssuedLots": Call(OPERATOR),
    "getIssuedLot": Call(OPERATOR),
    "revokeLot": Call(OPERATOR, body=REASON),
    "correctLot": Call(OPERATOR, body=REASON | {"quantity": 3, "kind": "perpetual", "end_on": None}),
    "previewRevocation": Call(OPERATOR),
    "previewCorrection": Call(OPERATOR, body=REASON | {"quantity": 3, "kind": "perpetual", "end_on": None}),
    "coTermLots": Call(OPERATOR, body=REASON | {"lots": ["<term_lot>", "<term_lot_late>"]}),
    "previewCoTerm": Call(OPERATOR, body={"lots": ["<term_lot>", "<term_lot_late>"]}),
    "cancelOrderLine": Call(OPERATOR, path={"uid": "unassigned_line"}, body={}),
    "approveOrderLines": Call(OPERATOR, body={"lines": ["<waiting_line>"]}),
    "declineOrderLines": Call(OPERATOR, body={"lines": ["<waiting_line>"]} | REASON),
    "setAllowance": Call(OPERATOR, body={"sku": "NET-ADV", "monthly_quantity": 10}),
    "previewOrderImport": Call(OPERATOR, file=ORDER_FILE),
    "importOrders": Call(OPERATOR, file=ORDER_FILE),
    # jobs
    "listJobs": Call(is_own=True),
    "listAccountJobs": Call(),
    "listPartnerJobs": Call(PARTNER),
    "listAllJobs": Call(OPERATOR),
    "getJob": Call(),
    "cancelJob": Call(),
    "getJobResult": Call(path={"uid": "job_done"}),
    "getJobRefusedRows": Call(path={"uid": "job_done"}),
}
