"""People of an account, their rights, invitations and hand-overs."""

from daicho.interfaces.portal.views import people, people_hand_overs, people_invite
from daicho.interfaces.portal.web import account_paths

urlpatterns = [
    *account_paths("people/", people.people, "people-list"),
    *account_paths("people/invite/", people_invite.invite_one, "people-invite"),
    *account_paths("people/invite/file/", people_invite.invite_file, "people-invite-file"),
    *account_paths("people/invite/sample.csv", people_invite.sample, "people-invite-sample"),
    *account_paths("people/invitations/", people_invite.invitations, "people-invitations"),
    *account_paths("people/invitations/<str:uid>/resend/", people_invite.resend, "people-invitation-resend"),
    *account_paths("people/invitations/<str:uid>/withdraw/", people_invite.withdraw, "people-invitation-withdraw"),
    *account_paths("people/hand-overs/", people_hand_overs.hand_overs, "people-hand-overs"),
    *account_paths("people/hand-overs/new/", people_hand_overs.plan, "people-hand-over-new"),
    *account_paths("people/hand-overs/<str:uid>/cancel/", people_hand_overs.cancel, "people-hand-over-cancel"),
    *account_paths("people/rights/<str:uid>/", people.change, "people-grant"),
    *account_paths("people/rights/<str:uid>/revoke/", people.revoke, "people-grant-revoke"),
    *account_paths("people/<str:uid>/", people.person, "people-detail"),
    *account_paths("people/<str:uid>/rights/new/", people.give, "people-grant-new"),
]
