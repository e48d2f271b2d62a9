from site_urls import urlpatterns

__all__ = ["urlpatterns"]
