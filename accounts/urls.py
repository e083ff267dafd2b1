from django.urls import path

from accounts import views

app_name = "accounts"

urlpatterns = [
    path("newsletter/", views.newsletter, name="newsletter"),
    path("newsletter/<token>/", views.unsubscribe, name="unsubscribe"),
]
