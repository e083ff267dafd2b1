from django.urls import path

from companies import views

app_name = "companies"

urlpatterns = [
    path("", views.select, name="select"),
    path("<slug:slug>/", views.company, name="company"),
    path("<slug:slug>/access/", views.access, name="access"),
    path("<slug:slug>/projects/<str:number>/", views.project, name="project"),
    path(
        "<slug:slug>/projects/<str:number>/favourite/",
        views.favourite,
        name="favourite",
    ),
]
