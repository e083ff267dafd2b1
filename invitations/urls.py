from django.urls import path

from invitations import views

app_name = "invitations"

urlpatterns = [
    path("terms/", views.terms, name="terms"),
    path("invitations/join/", views.JoinView.as_view(), name="join"),
    path("invitations/waiting/", views.waiting, name="waiting"),
    path("invitations/decline/", views.DeclineView.as_view(), name="decline"),
    path("invitations/declined/", views.declined, name="declined"),
    path("invitations/sign-out/", views.sign_out, name="sign-out"),
    path("invitations/<token>/", views.link, name="link"),
]
